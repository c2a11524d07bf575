/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of aff_model_load(), and the columns that aff_follow() (sql/follow/follow.h) reads, too. All run
 * inside a read-only snapshot. */
#pragma once

#include "core/catalogue/catalogue.h"
#include "core/customer/customers.h"
#include "core/index/model.h"
#include "core/index/neighbours.h"
#include "sql/connection.h"
#include "sql/copy.h"

/* Begins the snapshot. A rebuild replaces whole tables, and a snapshot that is older than the replacement
 * would see the new table as empty: so the tables are locked against replacement first, which waits for one
 * that is under way, and LOCK itself takes no snapshot yet. Only this store's partitions and their parents
 * are locked, so that the work on other stores is not held up. */
AFF_MUST_CHECK aff_status aff_load_begin(struct aff_connection *connection, int store,
                                         struct aff_error *reterr);

/* What affinity.state and affinity.catalogue_state say of a store. */
struct aff_load_state {
    struct aff_totals totals;
    uint64_t published, generation, touched_from;
    uint64_t catalogue_version, changes_from;
    int64_t built_at_us;
};
AFF_MUST_CHECK aff_status aff_load_state(struct aff_connection *connection, int store,
                                         struct aff_load_state *ret_state, struct aff_error *reterr);

/* The bytes that the store's model will take without sessions and baskets, from counts and text sizes in the
 * tables, with the room for growth: those of aff_model_bytes, and a few more where rows say nothing. What
 * malloc adds to each product, customer and row is in neither. */
AFF_MUST_CHECK aff_status aff_load_estimate(struct aff_connection *connection, int store, uint64_t *ret_bytes,
                                            struct aff_error *reterr);

AFF_MUST_CHECK aff_status aff_load_products(struct aff_connection *connection, int store,
                                            struct aff_catalogue **ret_catalogue, struct aff_error *reterr);

AFF_MUST_CHECK aff_status aff_load_customers(struct aff_connection *connection, int store,
                                             const struct aff_catalogue *catalogue,
                                             struct aff_customers **ret_customers, struct aff_error *reterr);

/* All relations of model->catalogue, into the model's tables, which the model owns also after a failure. */
AFF_MUST_CHECK aff_status aff_load_neighbours(struct aff_connection *connection, int store,
                                              struct aff_model *model, struct aff_error *reterr);

/* ---- columns ---- */

/* Columns of a product p, its product_stat s and its viewed_stat v, which may be null. Attributes come as one
 * text[]: all names, then all values. Nulls say nothing about a product and are left out, values that are no
 * texts come as their JSON. */
#define AFF_LOAD_PRODUCT_COLUMNS                                                                             \
    "p.product, p.id, p.name, p.category, p.brand, p.price, p.compare_at, p.cost, p.stock,"                  \
    " p.available, p.durable, s.orders, s.weight, s.revenue, s.margin, s.last_at, s.discounted, v.sessions," \
    " CASE WHEN jsonb_typeof(p.attributes) = 'object' AND p.attributes <> '{}'"                              \
    " THEN (SELECT array_agg(e.key) || array_agg(e.value) FROM jsonb_each_text(p.attributes) e"              \
    " WHERE e.value IS NOT NULL) END"

/* Memory for one product's attributes; zero before use, `list` is freed by the user. */
struct aff_load_attributes {
    struct aff_attribute *list; /* grows with the richest product */
    size_t capacity;
};

/* Reads AFF_LOAD_PRODUCT_COLUMNS. Texts are borrowed from the reader, attributes from `attributes`. */
AFF_MUST_CHECK aff_status aff_load_product(struct aff_copy_reader *reader,
                                           struct aff_load_attributes *attributes,
                                           struct aff_product *ret_product);

/* Columns of a neighbour row n, after relation and product; null for a product without one. */
#define AFF_LOAD_NEIGHBOUR_COLUMNS                                                                           \
    "n.others, n.scores, n.orders, n.weights, n.revenues, n.margins, n.discounted, n.gap_days,"              \
    " n.season_expected, n.season_z"

/* The same of a row n of neighbour_viewed, which counts sessions and nothing else. */
#define AFF_LOAD_VIEWED_COLUMNS                                                                              \
    "n.others, n.scores, n.sessions, NULL::bigint[], NULL::bigint[], NULL::bigint[], NULL::integer[],"       \
    " NULL::real[], NULL::real[], NULL::real[]"

struct aff_load_neighbours_row {
    int16_t relation;
    int32_t product;
    struct aff_copy_array others, scores, orders, weights, revenues, margins, discounted, gap_days;
    struct aff_copy_array season_expected, season_z;
};

/* Reads relation, product and the columns above, and checks the row's shape. Everything is borrowed from the
 * reader. */
AFF_MUST_CHECK aff_status aff_load_neighbours_row(struct aff_copy_reader *reader,
                                                  struct aff_load_neighbours_row *ret_row,
                                                  struct aff_error *reterr);

/* One neighbour of the row: its product and score, checked against the entry before, and its counts. */
AFF_MUST_CHECK aff_status aff_load_neighbour(const struct aff_load_neighbours_row *row, size_t at,
                                             int32_t *ret_product, float *ret_score,
                                             struct aff_pair_counts *ret_counts, struct aff_error *reterr);

/* Columns of a customer c and its customer_history h, which may be null. */
#define AFF_LOAD_CUSTOMER_COLUMNS "c.customer, c.id, h.orders, h.products, h.counts, h.first_at, h.last_at_of"

struct aff_load_customer_row {
    int64_t customer;
    struct aff_text id;
    uint32_t orders;
    struct aff_copy_array products, counts, first_at, last_at;
};

/* Reads the columns above and checks that the arrays are of one length. */
AFF_MUST_CHECK aff_status aff_load_customer_row(struct aff_copy_reader *reader,
                                                struct aff_load_customer_row *ret_row,
                                                struct aff_error *reterr);

/* One purchase of the row, by product key; times that do not fit whole seconds of 1970 to 2106 go to the
 * nearest end. AFF_DATA: it is newer than the one before it. */
struct aff_load_purchase {
    int32_t product;
    uint32_t orders, first_s, last_s;
};
AFF_MUST_CHECK aff_status aff_load_purchase(const struct aff_load_customer_row *row, size_t at,
                                            struct aff_load_purchase *ret_purchase, struct aff_error *reterr);
