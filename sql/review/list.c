/* SPDX-License-Identifier: Apache-2.0 */
/* A list is made in two steps: which pairs, by key; then each one's evidence from the exact counts, so that
 * it is of this moment, whenever the neighbour row was made. */
#include "sql/review/review.h"

#include "sql/copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Neighbour rows that are looked through at once, and how often for one list. */
enum { ROWS = 1000, ROUNDS = 20, STATEMENT = 4096 };

struct pair_key {
    int32_t product, other;
};

struct listing {
    struct aff_connection *connection;
    int store;
    const struct aff_review_query *query;
    struct aff_review_cursor after;
    struct pair_key *keys; /* limit + 1 */
    uint32_t n;
    aff_review_take take;
    void *context;
    int16_t *every_month; /* all baskets by month */
    int32_t *every_orders;
    uint32_t n_every;
    int64_t total;
    struct aff_error *reterr;
};

static aff_status no_memory(struct aff_error *reterr)
{
    return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
}

/* ---- which pairs ---- */

static aff_status take_keys(struct listing *listing, const char *statement)
{
    struct aff_copy_reader reader;
    bool more;
    aff_status status = aff_copy_read_begin(&reader, listing->connection, statement, listing->reterr);

    while (status == AFF_OK && (status = aff_copy_read(&reader, &more, listing->reterr)) == AFF_OK && more)
        if (listing->n <= listing->query->limit) {
            struct pair_key *key = &listing->keys[listing->n++];
            key->product = aff_copy_get_int32(&reader, 0);
            key->other = aff_copy_get_int32(&reader, 0);
        }
    aff_copy_read_close(&reader);
    return status;
}

/* Marked pairs that nobody has decided about, each once: from the row of the lower product, or from that of
 * the higher one if the lower one's row does not hold it. */
static aff_status find_marked(struct listing *listing)
{
    char statement[STATEMENT];

    (void)snprintf(
        statement, sizeof statement,
        "COPY (SELECT n.product, u.other FROM (SELECT product, others, season_expected, season_z"
        " FROM affinity.neighbour WHERE store = %d AND relation = 1 AND product >= %" PRId32
        " ORDER BY product LIMIT %d) n CROSS JOIN LATERAL unnest(n.others, n.season_expected, n.season_z)"
        " AS u(other, expected, z)"
        " WHERE u.expected > 0 AND u.z < %.15g AND (n.product, u.other) > (%" PRId32 ", %" PRId32 ")"
        " AND (n.product < u.other OR NOT EXISTS (SELECT FROM affinity.neighbour m WHERE m.store = %d"
        " AND m.relation = 1 AND m.product = u.other AND n.product = ANY(m.others)))"
        " AND NOT EXISTS (SELECT FROM affinity.pair_review r WHERE r.store = %d"
        " AND r.a = least(n.product, u.other) AND r.b = greatest(n.product, u.other)"
        " AND r.verdict <> 'open') ORDER BY 1, 2 LIMIT %" PRIu32 ") TO STDOUT (FORMAT binary)",
        listing->store, listing->after.product, ROWS, AFF_SEASON_Z, listing->after.product,
        listing->after.other, listing->store, listing->store, listing->query->limit + 1 - listing->n);
    return take_keys(listing, statement);
}

/* The product after the next ROWS rows; 0: there are no more. */
static aff_status find_end(struct listing *listing, int32_t *ret_product)
{
    struct aff_copy_reader reader;
    char statement[STATEMENT];
    bool more = false;

    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT product FROM affinity.neighbour WHERE store = %d AND relation = 1"
                   " AND product >= %" PRId32
                   " ORDER BY product OFFSET %d LIMIT 1) TO STDOUT (FORMAT binary)",
                   listing->store, listing->after.product, ROWS);
    aff_status status = aff_copy_read_begin(&reader, listing->connection, statement, listing->reterr);
    if (status == AFF_OK)
        status = aff_copy_read(&reader, &more, listing->reterr);
    *ret_product = status == AFF_OK && more ? aff_copy_get_int32(&reader, 0) : 0;
    aff_copy_read_close(&reader);
    return status;
}

/* *ret_more: rows are left that were not looked at, from listing->after on. */
static aff_status find_open(struct listing *listing, bool *ret_more)
{
    aff_status status = AFF_OK;

    *ret_more = true;
    for (int round = 0; round < ROUNDS && status == AFF_OK; round++) {
        int32_t next = 0;
        status = find_marked(listing);
        if (status == AFF_OK && listing->n <= listing->query->limit)
            status = find_end(listing, &next);
        if (status != AFF_OK || listing->n > listing->query->limit)
            return status;
        *ret_more = next != 0;
        if (next == 0)
            return AFF_OK;
        listing->after = (struct aff_review_cursor){next, INT32_MIN};
    }
    return status;
}

static aff_status find_decided(struct listing *listing)
{
    char statement[STATEMENT];

    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT a, b FROM affinity.pair_review WHERE store = %d AND verdict = '%s'"
                   " AND (a, b) > (%" PRId32 ", %" PRId32 ") ORDER BY a, b LIMIT %" PRIu32
                   ") TO STDOUT (FORMAT binary)",
                   listing->store, aff_verdict_name(listing->query->verdict), listing->after.product,
                   listing->after.other, listing->query->limit + 1);
    return take_keys(listing, statement);
}

/* ---- evidence ---- */

/* The arrays of one row of product_month, in memory of their own. */
static aff_status take_months(struct aff_copy_reader *reader, int16_t **ret_months, int32_t **ret_orders,
                              uint32_t *ret_n)
{
    struct aff_copy_array months = aff_copy_get_array(reader, sizeof(int32_t));
    struct aff_copy_array orders = aff_copy_get_array(reader, sizeof(int32_t));
    size_t n = months.n < orders.n ? months.n : orders.n;

    *ret_months = malloc((n + 1) * sizeof **ret_months);
    *ret_orders = malloc((n + 1) * sizeof **ret_orders);
    if (*ret_months == NULL || *ret_orders == NULL)
        return AFF_NOMEM;
    for (size_t i = 0; i < n; i++) {
        (*ret_months)[i] = (int16_t)aff_copy_element_int32(months, i);
        (*ret_orders)[i] = aff_copy_element_int32(orders, i);
    }
    *ret_n = (uint32_t)n;
    return AFF_OK;
}

static aff_status read_totals(struct listing *listing)
{
    struct aff_copy_reader reader;
    char statement[STATEMENT];
    bool more = false;

    (void)snprintf(statement, sizeof statement,
                   "COPY (SELECT t.orders, m.months, m.orders FROM affinity.state t LEFT JOIN"
                   " affinity.product_month m ON m.store = t.store AND m.product = %d WHERE t.store = %d)"
                   " TO STDOUT (FORMAT binary)",
                   AFF_EVERY_PRODUCT, listing->store);
    aff_status status = aff_copy_read_begin(&reader, listing->connection, statement, listing->reterr);
    if (status == AFF_OK)
        status = aff_copy_read(&reader, &more, listing->reterr);
    if (status == AFF_OK && more) {
        listing->total = aff_copy_get_int64(&reader, 0);
        if (take_months(&reader, &listing->every_month, &listing->every_orders, &listing->n_every) != AFF_OK)
            status = no_memory(listing->reterr);
    }
    aff_copy_read_close(&reader);
    return status;
}

/* Months in which both sell. `ret_months` has room for the shorter list. */
static size_t share_months(struct aff_month_row a, struct aff_month_row b, struct aff_month_row all,
                           struct aff_review_month *ret_months)
{
    size_t n = 0;

    for (uint32_t i = 0, j = 0, k = 0; i < a.n && j < b.n;) {
        if (a.months[i] != b.months[j]) {
            if (a.months[i] < b.months[j])
                i++;
            else
                j++;
            continue;
        }
        while (k < all.n && all.months[k] < a.months[i])
            k++;
        bool known = k < all.n && all.months[k] == a.months[i];
        ret_months[n++] =
            (struct aff_review_month){a.months[i], a.orders[i], b.orders[j], known ? all.orders[k] : 0};
        i++;
        j++;
    }
    return n;
}

struct both {
    int16_t *months[2];
    int32_t *orders[2];
    uint32_t n[2];
};

static aff_status judge(struct listing *listing, struct aff_review_pair *pair, const struct both *both)
{
    struct aff_month_row a = {both->n[0], both->months[0], both->orders[0]};
    struct aff_month_row b = {both->n[1], both->months[1], both->orders[1]};
    struct aff_month_row all = {listing->n_every, listing->every_month, listing->every_orders};
    struct aff_review_month *months = malloc(((size_t)a.n + 1) * sizeof *months);

    if (months == NULL)
        return AFF_NOMEM;
    pair->total_orders = (uint64_t)listing->total;
    pair->evidence =
        aff_evidence_of(pair->orders, pair->product_orders, pair->other_orders, pair->total_orders);
    pair->season = aff_season_of(a, b, all, pair->orders);
    pair->marked = aff_season_marks(&pair->evidence, pair->season.expected, pair->season.z);
    pair->months = months;
    pair->n_months = share_months(a, b, all, months);
    aff_status status = listing->take(listing->context, pair);
    free(months);
    return status;
}

static aff_status take_pair(struct listing *listing, struct aff_copy_reader *reader)
{
    struct aff_review_pair pair = {0};
    struct both both = {0};
    aff_status status = AFF_OK;

    pair.at.product = aff_copy_get_int32(reader, 0);
    pair.at.other = aff_copy_get_int32(reader, 0);
    pair.product = aff_copy_get_text(reader);
    pair.other = aff_copy_get_text(reader);
    pair.product_name = aff_copy_get_text(reader);
    pair.other_name = aff_copy_get_text(reader);
    pair.verdict = (enum aff_verdict)aff_copy_get_int32(reader, AFF_VERDICT_OPEN);
    pair.by = aff_copy_get_text(reader);
    pair.note = aff_copy_get_text(reader);
    pair.decided_us = aff_copy_get_time(reader, INT64_MIN);
    pair.orders = (uint64_t)aff_copy_get_int32(reader, 0);
    pair.product_orders = (uint64_t)aff_copy_get_int32(reader, 0);
    pair.other_orders = (uint64_t)aff_copy_get_int32(reader, 0);
    for (int side = 0; side < 2 && status == AFF_OK; side++)
        status = take_months(reader, &both.months[side], &both.orders[side], &both.n[side]);
    if (status == AFF_OK)
        status = judge(listing, &pair, &both);
    for (int side = 0; side < 2; side++) {
        free(both.months[side]);
        free(both.orders[side]);
    }
    return status == AFF_OK ? AFF_OK : aff_error_set(listing->reterr, status, "%s", aff_status_text(status));
}

/* The keys as "(1,2),(3,4)". */
static char *write_keys(const struct listing *listing, uint32_t n)
{
    enum { WIDTH = 2 * 12 + 4 };
    char *text = malloc((size_t)n * WIDTH + 1);
    size_t used = 0;

    for (uint32_t i = 0; text != NULL && i < n; i++)
        used += (size_t)snprintf(text + used, WIDTH, "%s(%" PRId32 ",%" PRId32 ")", i == 0 ? "" : ",",
                                 listing->keys[i].product, listing->keys[i].other);
    return text;
}

static const char evidence[] =
    "COPY (SELECT k.x, k.y, p.id, q.id, p.name, q.name, CASE r.verdict WHEN 'approve' THEN 1 WHEN 'reject'"
    " THEN 2 ELSE 0 END, coalesce(r.by, ''), coalesce(r.note, ''), r.at, coalesce(c.orders, 0),"
    " coalesce(s.orders, 0), coalesce(t.orders, 0), coalesce(m.months, '{}'), coalesce(m.orders, '{}'),"
    " coalesce(n.months, '{}'), coalesce(n.orders, '{}') FROM (VALUES %s) AS k(x, y)"
    " JOIN affinity.product p ON p.store = %d AND p.product = k.x"
    " JOIN affinity.product q ON q.store = %d AND q.product = k.y"
    " LEFT JOIN affinity.pair_review r ON r.store = %d AND r.a = least(k.x, k.y) AND r.b = greatest(k.x, k.y)"
    " LEFT JOIN affinity.pair_together c ON c.store = %d AND c.a = least(k.x, k.y) AND c.b = greatest(k.x, "
    "k.y)"
    " LEFT JOIN affinity.product_stat s ON s.store = %d AND s.product = k.x"
    " LEFT JOIN affinity.product_stat t ON t.store = %d AND t.product = k.y"
    " LEFT JOIN affinity.product_month m ON m.store = %d AND m.product = k.x"
    " LEFT JOIN affinity.product_month n ON n.store = %d AND n.product = k.y"
    " ORDER BY k.x, k.y) TO STDOUT (FORMAT binary)";

static aff_status show(struct listing *listing, uint32_t n)
{
    struct aff_copy_reader reader;
    char *keys = write_keys(listing, n), *statement = NULL;
    size_t size = sizeof evidence + (keys == NULL ? 0 : strlen(keys)) + 8 * 12;
    int store = listing->store;
    bool more;
    aff_status status = AFF_OK;

    if (keys != NULL)
        statement = malloc(size);
    if (statement == NULL) {
        free(keys);
        return no_memory(listing->reterr);
    }
    (void)snprintf(statement, size, evidence, keys, store, store, store, store, store, store, store, store);
    status = aff_copy_read_begin(&reader, listing->connection, statement, listing->reterr);
    while (status == AFF_OK && (status = aff_copy_read(&reader, &more, listing->reterr)) == AFF_OK && more)
        status = take_pair(listing, &reader);
    aff_copy_read_close(&reader);
    free(statement);
    free(keys);
    return status;
}

aff_status aff_review_list(struct aff_connection *connection, int store, const struct aff_review_query *query,
                           aff_review_take take, void *context, bool *ret_more,
                           struct aff_review_cursor *ret_next, struct aff_error *reterr)
{
    struct listing listing = {.connection = connection,
                              .store = store,
                              .query = query,
                              .after = query->after,
                              .keys = malloc(((size_t)query->limit + 1) * sizeof *listing.keys),
                              .take = take,
                              .context = context,
                              .reterr = reterr};
    bool more = false;
    aff_status status = listing.keys == NULL ? no_memory(reterr) : AFF_OK;

    if (status == AFF_OK)
        status = query->verdict == AFF_VERDICT_OPEN ? find_open(&listing, &more) : find_decided(&listing);
    uint32_t shown = listing.n > query->limit ? query->limit : listing.n;
    if (status == AFF_OK && shown > 0)
        status = read_totals(&listing);
    if (status == AFF_OK && shown > 0)
        status = show(&listing, shown);
    if (status == AFF_OK) {
        *ret_more = more || listing.n > shown;
        *ret_next = listing.n > shown ? (struct aff_review_cursor){listing.keys[shown - 1].product,
                                                                   listing.keys[shown - 1].other}
                                      : listing.after;
    }
    free(listing.keys);
    free(listing.every_month);
    free(listing.every_orders);
    return status;
}
