/* SPDX-License-Identifier: Apache-2.0 */
#include "core/index/update.h"

#include "core/catalogue/changes.h"
#include "core/customer/changes.h"
#include "core/index/grace.h"

#include <stdbool.h>
#include <stdlib.h>

/* The row that a product gets; once published, the one that it had. */
struct row_change {
    enum aff_relation relation;
    uint32_t at;
    struct aff_row *row;
};

struct aff_update {
    struct aff_slot *slot;
    struct aff_model *before;
    struct aff_model *next; /* a copy of it with what this batch says */
    struct aff_catalogue_changes *catalogue;
    struct aff_customers_changes *customers;
    struct row_change *rows; /* in their order; a product may come twice */
    size_t n_rows, row_capacity;
    bool new_sessions;              /* next->traces is this batch's own, and its sessions are */
    struct aff_purchase *purchases; /* of the customer that is being changed */
    size_t purchase_capacity;
};

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

aff_status aff_update_begin(struct aff_slot *slot, struct aff_update **ret_update)
{
    struct aff_model *model = aff_slot_model(slot);

    if (model == NULL)
        return AFF_NOTFOUND;
    struct aff_update *update = calloc(1, sizeof *update);
    if (update == NULL)
        return AFF_NOMEM;
    update->slot = slot;
    update->before = model;
    update->next = malloc(sizeof *update->next);
    if (update->next == NULL) {
        free(update);
        return AFF_NOMEM;
    }
    *update->next = *model;
    /* A row must have its place in every table. */
    uint32_t limit = least(aff_neighbours_capacity(model->together), aff_neighbours_capacity(model->next));
    if (model->viewed != NULL)
        limit = least(limit, aff_neighbours_capacity(model->viewed));
    aff_status status = aff_catalogue_changes_new(model->catalogue, limit, &update->catalogue);
    if (status == AFF_OK)
        status = aff_customers_changes_new(model->customers, &update->customers);
    if (status != AFF_OK) {
        aff_update_drop(update);
        return status;
    }
    *ret_update = update;
    return AFF_OK;
}

aff_status aff_update_product(struct aff_update *update, const struct aff_product *product)
{
    return aff_catalogue_changes_product(update->catalogue, product);
}

aff_status aff_update_product_counts(struct aff_update *update, int32_t product,
                                     const struct aff_product_counts *counts)
{
    return aff_catalogue_changes_counts(update->catalogue, product, counts);
}

aff_status aff_update_popularity(struct aff_update *update)
{
    return aff_catalogue_changes_popularity(update->catalogue);
}

/* NULL: there is no such relation, or the model has none. */
static struct aff_neighbours *table_of(const struct aff_model *model, enum aff_relation relation)
{
    return relation == AFF_RELATION_TOGETHER ? model->together
           : relation == AFF_RELATION_NEXT   ? model->next
           : relation == AFF_RELATION_VIEWED ? model->viewed
                                             : NULL;
}

static aff_status reserve_rows(struct aff_update *update)
{
    if (update->n_rows < update->row_capacity)
        return AFF_OK;
    size_t capacity = update->row_capacity == 0 ? 16 : update->row_capacity * 2;
    struct row_change *rows = realloc(update->rows, capacity * sizeof *rows);
    if (rows == NULL)
        return AFF_NOMEM;
    update->rows = rows;
    update->row_capacity = capacity;
    return AFF_OK;
}

static aff_status make_row(const struct aff_update *update, const struct aff_update_neighbour *neighbours,
                           uint32_t n, struct aff_row **ret_row)
{
    struct aff_neighbour *entries;
    struct aff_pair_counts *counts;
    uint32_t n_held = 0, at = 0;

    for (uint32_t i = 0; i < n; i++)
        n_held += aff_catalogue_changes_find(update->catalogue, neighbours[i].product) != AFF_NO_ROW;
    if (n_held == 0) {
        *ret_row = NULL;
        return AFF_OK;
    }
    aff_status status = aff_row_new(n_held, ret_row, &entries, &counts);
    if (status != AFF_OK)
        return status;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = aff_catalogue_changes_find(update->catalogue, neighbours[i].product);
        if (row == AFF_NO_ROW)
            continue;
        entries[at] = (struct aff_neighbour){.row = row, .score = neighbours[i].score};
        counts[at++] = neighbours[i].counts;
    }
    return AFF_OK;
}

aff_status aff_update_row(struct aff_update *update, enum aff_relation relation, int32_t product,
                          const struct aff_update_neighbour *neighbours, uint32_t n)
{
    struct row_change change = {.relation = relation,
                                .at = aff_catalogue_changes_find(update->catalogue, product)};

    if (table_of(update->next, relation) == NULL)
        return relation == AFF_RELATION_VIEWED ? AFF_LIMIT : AFF_INVALID;
    if (change.at == AFF_NO_ROW)
        return AFF_NOTFOUND;
    aff_status status = reserve_rows(update);
    if (status == AFF_OK)
        status = make_row(update, neighbours, n, &change.row);
    if (status == AFF_OK)
        update->rows[update->n_rows++] = change;
    return status;
}

aff_status aff_update_customer(struct aff_update *update, struct aff_text id, uint32_t orders,
                               const struct aff_update_purchase *purchases, uint32_t n)
{
    uint32_t n_held = 0;

    if (n > update->purchase_capacity) {
        struct aff_purchase *larger = realloc(update->purchases, (size_t)n * 2 * sizeof *larger);
        if (larger == NULL)
            return AFF_NOMEM;
        update->purchases = larger;
        update->purchase_capacity = (size_t)n * 2;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = aff_catalogue_changes_find(update->catalogue, purchases[i].product);
        if (row != AFF_NO_ROW)
            update->purchases[n_held++] = (struct aff_purchase){.row = row,
                                                                .orders = purchases[i].orders,
                                                                .first_s = purchases[i].first_s,
                                                                .last_s = purchases[i].last_s};
    }
    return aff_customers_changes_put(update->customers, id, orders, update->purchases, n_held);
}

aff_status aff_update_sessions(struct aff_update *update, struct aff_traces *made)
{
    struct aff_traces *traces = calloc(1, sizeof *traces);

    if (traces != NULL) {
        if (update->before->traces != NULL)
            *traces = *update->before->traces;
        traces->n_sessions = made->n_sessions;
        traces->alike = made->alike;
        traces->viewed = made->viewed;
        traces->revisits = made->revisits;
        traces->sessions_left_out = made->sessions_left_out;
        update->next->traces = traces;
        update->new_sessions = true;
    } else {
        aff_traces_drop_views(made);
    }
    made->alike = NULL;
    made->viewed = NULL;
    return traces == NULL ? AFF_NOMEM : AFF_OK;
}

/* Frees what of the traces aff_update_sessions() replaces, or had made. */
static void free_sessions(struct aff_traces *traces)
{
    if (traces == NULL)
        return;
    aff_traces_drop_views(traces);
    free(traces);
}

void aff_update_totals(struct aff_update *update, const struct aff_totals *totals, uint64_t version)
{
    update->next->totals = *totals;
    update->next->version = version;
    update->next->snapshot_at_us = 0;
}

void aff_update_catalogue_version(struct aff_update *update, uint64_t catalogue_version)
{
    update->next->catalogue_version = catalogue_version;
}

void aff_update_fitted(struct aff_update *update, const struct aff_fitted *fitted, uint64_t version)
{
    update->next->fitted = *fitted;
    update->next->fitted_version = version;
}

static void free_batch(struct aff_update *update)
{
    free(update->rows);
    free(update->purchases);
    free(update);
}

void aff_update_publish(struct aff_update *update)
{
    struct aff_model *next = update->next;

    /* Products first: rows and histories lead readers to them. */
    next->catalogue = aff_catalogue_changes_apply(update->catalogue);
    for (size_t i = 0; i < update->n_rows; i++) {
        struct row_change *change = &update->rows[i];
        change->row = aff_neighbours_exchange(table_of(next, change->relation), change->at, change->row);
    }
    next->customers = aff_customers_changes_apply(update->customers);
    (void)aff_slot_exchange(update->slot, next);
    aff_grace_wait();
    for (size_t i = 0; i < update->n_rows; i++)
        aff_neighbours_discard(table_of(next, update->rows[i].relation), update->rows[i].row);
    aff_catalogue_changes_settle(update->catalogue);
    aff_customers_changes_settle(update->customers);
    if (update->new_sessions)
        free_sessions(update->before->traces);
    free(update->before);
    free_batch(update);
}

void aff_update_drop(struct aff_update *update)
{
    if (update == NULL)
        return;
    for (size_t i = 0; i < update->n_rows; i++)
        free(update->rows[i].row);
    aff_catalogue_changes_drop(update->catalogue);
    aff_customers_changes_drop(update->customers);
    if (update->new_sessions)
        free_sessions(update->next->traces);
    free(update->next);
    free_batch(update);
}
