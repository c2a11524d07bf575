/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/load/parts.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

struct counts {
    struct aff_catalogue_shape catalogue;
    uint64_t customers, customer_text, purchases;
    uint64_t rows, edges;           /* of `together` */
    uint64_t next_rows, next_edges; /* of `next` */
    uint64_t viewed_rows, viewed_edges;
};

static aff_status count(struct aff_connection *connection, int store, struct counts *ret_counts,
                        struct aff_error *reterr)
{
    enum { COLUMNS = 15 };
    char number[16];
    const char *parameters[] = {number};
    PGresult *result = NULL;
    uint64_t value[COLUMNS];

    (void)snprintf(number, sizeof number, "%d", store);
    aff_status status = aff_query(
        connection,
        "SELECT p.*, a.*, k.*, c.*, h.*, n.*, v.* FROM"
        " (SELECT count(*), sum(octet_length(id) + octet_length(name) + octet_length(brand))"
        "  FROM affinity.product WHERE store = $1::integer) p,"
        " (SELECT count(*), sum(octet_length(e.key) + octet_length(e.value)) FROM affinity.product p,"
        "  LATERAL jsonb_each_text(CASE WHEN jsonb_typeof(p.attributes) = 'object' THEN p.attributes"
        "  ELSE '{}' END) e WHERE p.store = $1::integer AND p.attributes <> '{}' AND e.value IS NOT NULL) a,"
        " (SELECT count(*), sum(octet_length(k.category)) FROM"
        "  (SELECT DISTINCT category FROM affinity.product WHERE store = $1::integer AND category <> '') k) "
        "k,"
        " (SELECT count(*), sum(octet_length(id)) FROM affinity.customer WHERE store = $1::integer) c,"
        " (SELECT sum(cardinality(products)) FROM affinity.customer_history WHERE store = $1::integer) h,"
        " (SELECT count(*) FILTER (WHERE relation = 1), sum(cardinality(others)) FILTER (WHERE relation = 1),"
        "  count(*) FILTER (WHERE relation = 2), sum(cardinality(others)) FILTER (WHERE relation = 2)"
        "  FROM affinity.neighbour WHERE store = $1::integer) n,"
        " (SELECT count(*), sum(cardinality(others)) FROM affinity.neighbour_viewed"
        "  WHERE store = $1::integer) v",
        1, parameters, &result, reterr);
    if (status != AFF_OK)
        return status;
    for (int i = 0; i < COLUMNS; i++)
        value[i] = strtoull(PQgetvalue(result, 0, i), NULL, 10); /* a sum of nothing is null and reads as 0 */
    PQclear(result);
    *ret_counts = (struct counts){
        .catalogue = {value[0], value[1], value[2], value[3], value[4], value[5]},
        .customers = value[6],
        .customer_text = value[7],
        .purchases = value[8],
        .rows = value[9],
        .edges = value[10],
        .next_rows = value[11],
        .next_edges = value[12],
        .viewed_rows = value[13],
        .viewed_edges = value[14],
    };
    return AFF_OK;
}

aff_status aff_load_estimate(struct aff_connection *connection, int store, uint64_t *ret_bytes,
                             struct aff_error *reterr)
{
    struct counts counts;
    aff_status status = count(connection, store, &counts, reterr);

    if (status != AFF_OK)
        return status;
    *ret_bytes = sizeof(struct aff_model) + aff_catalogue_bytes_for(&counts.catalogue) +
                 aff_customers_bytes_for(counts.customers, counts.customer_text, counts.purchases) +
                 aff_neighbours_bytes_for(counts.catalogue.products, counts.rows, counts.edges) +
                 aff_neighbours_bytes_for(counts.catalogue.products, counts.next_rows, counts.next_edges) +
                 aff_neighbours_bytes_for(counts.catalogue.products, counts.viewed_rows, counts.viewed_edges);
    return AFF_OK;
}
