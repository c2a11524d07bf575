/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/follow/follow.h"

#include "core/index/update.h"
#include "sql/load/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Values of `what` in the tables of changes. */
enum { TOUCHED_TOGETHER = 1, TOUCHED_NEXT = 2, TOUCHED_HISTORY = 3, TOUCHED_STAT = 4, TOUCHED_VIEWED = 5 };
enum { CHANGED_PRODUCT = 1, CHANGED_CUSTOMER = 2 };
enum { STATEMENT_SIZE = 2048 };

struct following {
    struct aff_connection *connection;
    int store;
    struct aff_load_state state;
    uint64_t from, catalogue_from; /* versions of the model */
    struct aff_update *update;
    struct aff_follow_report report;
    struct aff_load_attributes attributes;
    struct aff_update_neighbour *neighbours; /* grow with the longest row */
    struct aff_update_purchase *purchases;
    size_t neighbours_capacity, purchases_capacity;
    struct aff_error *reterr;
};

/* What a batch says of a failed call: without room the model is loaded anew. */
static aff_status take(struct following *following, aff_status status, const char *what, int64_t key)
{
    if (status == AFF_LIMIT)
        following->report.behind = true;
    if (status == AFF_OK || status == AFF_LIMIT)
        return status;
    return aff_error_set(following->reterr, status == AFF_NOMEM ? status : AFF_DATA, "%s %" PRId64 ": %s",
                         what, key, aff_status_text(status));
}

/* Reads one COPY, row by row. */
static aff_status read_all(struct following *following, const char *statement,
                           aff_status (*read_row)(struct following *following,
                                                  struct aff_copy_reader *reader))
{
    struct aff_copy_reader reader = {0};
    bool more = false;
    aff_status status = aff_copy_read_begin(&reader, following->connection, statement, following->reterr);

    while (status == AFF_OK && (status = aff_copy_read(&reader, &more, following->reterr)) == AFF_OK && more)
        status = read_row(following, &reader);
    aff_copy_read_close(&reader);
    return status;
}

/* Room for n elements; NULL if memory is out, the array is then as it was. */
static void *roomy(void *array, size_t n, size_t *capacity, size_t size)
{
    if (n <= *capacity && array != NULL)
        return array;
    void *bigger = realloc(array, (n * 2 + 16) * size);
    if (bigger != NULL)
        *capacity = n * 2 + 16;
    return bigger;
}

/* ---- products ---- */

static aff_status read_product(struct following *following, struct aff_copy_reader *reader)
{
    struct aff_product product;
    aff_status status = aff_load_product(reader, &following->attributes, &product);

    if (status != AFF_OK)
        return take(following, status, "affinity.product", product.key);
    const struct aff_product_counts counts = {product.orders,  product.weight,     product.revenue,
                                              product.margin,  product.last_at_us, product.discounted,
                                              product.sessions};
    following->report.products++;
    status = aff_update_product(following->update, &product);
    if (status == AFF_OK)
        status = aff_update_product_counts(following->update, product.key, &counts);
    return take(following, status, "affinity.product", product.key);
}

/* One version of overlap: rows are replaced whole, so that reading one again is harmless, and a version whose
 * last part commits late is not missed. */
static uint64_t overlapping(uint64_t version)
{
    return version == 0 ? 0 : version - 1;
}

static aff_status follow_products(struct following *following)
{
    char statement[STATEMENT_SIZE];

    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT " AFF_LOAD_PRODUCT_COLUMNS
                   " FROM (SELECT key FROM affinity.catalogue_change WHERE store = %d AND what = %d"
                   "  AND version > %" PRIu64 " UNION SELECT key FROM affinity.touched WHERE store = %d"
                   "  AND what IN (%d, %d, %d) AND version > %" PRIu64 " AND version <= %" PRIu64 ") k"
                   " JOIN affinity.product p ON p.store = %d AND p.product = k.key"
                   " LEFT JOIN affinity.product_stat s ON s.store = %d AND s.product = p.product"
                   " LEFT JOIN affinity.viewed_stat v ON v.store = %d AND v.product = p.product"
                   " ORDER BY p.product) TO STDOUT (FORMAT binary)",
                   following->store, CHANGED_PRODUCT, overlapping(following->catalogue_from),
                   following->store, TOUCHED_TOGETHER, TOUCHED_STAT, TOUCHED_VIEWED,
                   overlapping(following->from), following->state.published, following->store,
                   following->store, following->store);
    return read_all(following, statement, read_product);
}

/* ---- neighbour rows ---- */

static aff_status read_neighbours(struct following *following, struct aff_copy_reader *reader)
{
    struct aff_load_neighbours_row row;
    aff_status status = aff_load_neighbours_row(reader, &row, following->reterr);

    if (status != AFF_OK)
        return status;
    void *room = roomy(following->neighbours, row.others.n, &following->neighbours_capacity,
                       sizeof *following->neighbours);
    if (room == NULL)
        return take(following, AFF_NOMEM, "affinity.neighbour", row.product);
    following->neighbours = room;
    for (size_t i = 0; i < row.others.n && status == AFF_OK; i++) {
        struct aff_update_neighbour *neighbour = &following->neighbours[i];
        status = aff_load_neighbour(&row, i, &neighbour->product, &neighbour->score, &neighbour->counts,
                                    following->reterr);
    }
    if (status != AFF_OK)
        return status;
    following->report.rows++;
    status = aff_update_row(following->update, (enum aff_relation)row.relation, row.product,
                            following->neighbours, (uint32_t)row.others.n);
    return take(following, status, "affinity.neighbour", row.product);
}

static aff_status follow_neighbours(struct following *following)
{
    char statement[STATEMENT_SIZE];

    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT t.what, t.key::integer, " AFF_LOAD_NEIGHBOUR_COLUMNS
                   " FROM affinity.touched t JOIN affinity.product p ON p.store = %d AND p.product = t.key"
                   " LEFT JOIN affinity.neighbour n ON n.store = %d AND n.relation = t.what"
                   "  AND n.product = t.key"
                   " WHERE t.store = %d AND t.what IN (%d, %d) AND t.version > %" PRIu64
                   "  AND t.version <= %" PRIu64 ") TO STDOUT (FORMAT binary)",
                   following->store, following->store, following->store, TOUCHED_TOGETHER, TOUCHED_NEXT,
                   overlapping(following->from), following->state.published);
    return read_all(following, statement, read_neighbours);
}

static aff_status follow_viewed(struct following *following)
{
    char statement[STATEMENT_SIZE];

    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT %d::smallint, t.key::integer, " AFF_LOAD_VIEWED_COLUMNS
                   " FROM affinity.touched t JOIN affinity.product p ON p.store = %d AND p.product = t.key"
                   " LEFT JOIN affinity.neighbour_viewed n ON n.store = %d AND n.product = t.key"
                   " WHERE t.store = %d AND t.what = %d AND t.version > %" PRIu64
                   "  AND t.version <= %" PRIu64 ") TO STDOUT (FORMAT binary)",
                   AFF_RELATION_VIEWED, following->store, following->store, following->store, TOUCHED_VIEWED,
                   overlapping(following->from), following->state.published);
    return read_all(following, statement, read_neighbours);
}

/* ---- customers ---- */

static aff_status read_customer(struct following *following, struct aff_copy_reader *reader)
{
    struct aff_load_customer_row row;
    aff_status status = aff_load_customer_row(reader, &row, following->reterr);

    if (status != AFF_OK)
        return status;
    void *room = roomy(following->purchases, row.products.n, &following->purchases_capacity,
                       sizeof *following->purchases);
    if (room == NULL)
        return take(following, AFF_NOMEM, "affinity.customer_history", row.customer);
    following->purchases = room;
    for (size_t i = 0; i < row.products.n && status == AFF_OK; i++) {
        struct aff_load_purchase purchase;
        status = aff_load_purchase(&row, i, &purchase, following->reterr);
        if (status == AFF_OK)
            following->purchases[i] = (struct aff_update_purchase){purchase.product, purchase.orders,
                                                                   purchase.first_s, purchase.last_s};
    }
    if (status != AFF_OK)
        return status;
    following->report.customers++;
    status = aff_update_customer(following->update, row.id, row.orders, following->purchases,
                                 (uint32_t)row.products.n);
    return take(following, status, "affinity.customer", row.customer);
}

static aff_status follow_customers(struct following *following)
{
    char statement[STATEMENT_SIZE];

    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT " AFF_LOAD_CUSTOMER_COLUMNS
                   " FROM (SELECT key FROM affinity.catalogue_change WHERE store = %d AND what = %d"
                   "  AND version > %" PRIu64 " UNION SELECT key FROM affinity.touched WHERE store = %d"
                   "  AND what = %d AND version > %" PRIu64 " AND version <= %" PRIu64 ") k"
                   " JOIN affinity.customer c ON c.store = %d AND c.customer = k.key"
                   " LEFT JOIN affinity.customer_history h ON h.store = %d AND h.customer = c.customer)"
                   " TO STDOUT (FORMAT binary)",
                   following->store, CHANGED_CUSTOMER, overlapping(following->catalogue_from),
                   following->store, TOUCHED_HISTORY, overlapping(following->from),
                   following->state.published, following->store, following->store);
    return read_all(following, statement, read_customer);
}

/* ---- the whole ---- */

/* New products come first, so that rows and histories can name them. */
static aff_status read_changes(struct following *following)
{
    aff_status status = follow_products(following);

    if (status == AFF_OK && following->state.published != following->from)
        status = follow_neighbours(following);
    if (status == AFF_OK && following->state.published != following->from)
        status = follow_viewed(following);
    if (status == AFF_OK)
        status = follow_customers(following);
    return status;
}

static aff_status fill_batch(struct following *following, const struct aff_model *model)
{
    struct aff_follow_report *report = &following->report;
    aff_status status =
        aff_load_state(following->connection, following->store, &following->state, following->reterr);

    if (status != AFF_OK)
        return status;
    report->behind = following->state.generation != model->generation ||
                     following->from < following->state.touched_from ||
                     following->catalogue_from < following->state.changes_from;
    if (report->behind)
        return AFF_OK;
    status = read_changes(following);
    return report->behind ? AFF_OK : status;
}

static void publish(struct following *following, bool popularity)
{
    struct aff_follow_report *report = &following->report;

    report->counts_changed = following->state.published != following->from;
    if (popularity && aff_update_popularity(following->update) == AFF_OK)
        report->counts_changed = false;
    report->version = following->state.published;
    report->catalogue_version = following->state.catalogue_version;
    aff_update_totals(following->update, &following->state.totals, following->state.published);
    aff_update_catalogue_version(following->update, following->state.catalogue_version);
    aff_update_publish(following->update);
    following->update = NULL;
}

aff_status aff_follow(struct aff_connection *connection, int store, struct aff_slot *slot, bool popularity,
                      struct aff_follow_report *ret, struct aff_error *reterr)
{
    const struct aff_model *model = aff_slot_model(slot);
    struct following following = {.connection = connection, .store = store, .reterr = reterr};
    struct aff_error ignored;

    if (model == NULL)
        return aff_error_set(reterr, AFF_NOTFOUND, "there is no model to follow with");
    following.from = model->version;
    following.catalogue_from = model->catalogue_version;
    aff_status status = aff_update_begin(slot, &following.update);
    if (status != AFF_OK)
        return aff_error_set(reterr, status, "%s", aff_status_text(status));
    status = aff_load_begin(connection, store, reterr);
    if (status == AFF_OK)
        status = fill_batch(&following, model);
    (void)!aff_execute(connection, "ROLLBACK", &ignored); /* nothing was written */
    if (status == AFF_OK && !following.report.behind)
        publish(&following, popularity);
    aff_update_drop(following.update);
    free(following.attributes.list);
    free(following.neighbours);
    free(following.purchases);
    if (status == AFF_OK)
        *ret = following.report;
    return status;
}
