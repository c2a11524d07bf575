/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/load/parts.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MALLOC_BYTES = 16, /* what the allocator adds to a block */
    MAP_BYTES = 32,    /* a key's share of an open-addressing map that is at most half full, and its hash */
    POPULAR_BYTES = 8, /* a product stands in the store's and in its category's list */
    ATTRIBUTE_FACTOR = 4, /* an attribute's two texts and their descriptors, against its stored size */
};

struct counts {
    uint64_t products, product_text, attributes;
    uint64_t customers, customer_text, purchases;
    uint64_t rows, edges;
};

static aff_status count(struct aff_connection *connection, int store, struct counts *ret_counts,
                        struct aff_error *reterr)
{
    char number[16];
    const char *parameters[] = {number};
    PGresult *result = NULL;

    (void)snprintf(number, sizeof number, "%d", store);
    aff_status status = aff_query(
        connection,
        "SELECT p.*, c.*, h.*, n.* FROM"
        " (SELECT count(*), sum(octet_length(id) + octet_length(name) + octet_length(category)"
        "  + octet_length(brand)), sum(CASE WHEN attributes = '{}' THEN 0 ELSE pg_column_size(attributes) "
        "END)"
        "  FROM affinity.product WHERE store = $1::integer) p,"
        " (SELECT count(*), sum(octet_length(id)) FROM affinity.customer WHERE store = $1::integer) c,"
        " (SELECT sum(cardinality(products)) FROM affinity.customer_history WHERE store = $1::integer) h,"
        " (SELECT count(*), sum(cardinality(others)) FROM (SELECT others FROM affinity.neighbour"
        "  WHERE store = $1::integer UNION ALL SELECT others FROM affinity.neighbour_viewed"
        "  WHERE store = $1::integer) r) n",
        1, parameters, &result, reterr);
    if (status != AFF_OK)
        return status;
    uint64_t value[8];
    for (int i = 0; i < 8; i++)
        value[i] = strtoull(PQgetvalue(result, 0, i), NULL, 10); /* a sum of nothing is null and reads as 0 */
    PQclear(result);
    *ret_counts =
        (struct counts){value[0], value[1], value[2], value[3], value[4], value[5], value[6], value[7]};
    return AFF_OK;
}

aff_status aff_load_estimate(struct aff_connection *connection, int store, uint64_t *ret_bytes,
                             struct aff_error *reterr)
{
    struct counts counts;
    aff_status status = count(connection, store, &counts, reterr);

    if (status != AFF_OK)
        return status;
    uint64_t product_bytes = sizeof(struct aff_product) + sizeof(uint8_t) + (uint64_t)2 * MAP_BYTES +
                             POPULAR_BYTES + (uint64_t)3 * sizeof(struct aff_row *);
    uint64_t customer_bytes = sizeof(struct aff_history) + MAP_BYTES + sizeof(struct aff_history *);
    *ret_bytes = counts.products * product_bytes + counts.product_text +
                 counts.attributes * ATTRIBUTE_FACTOR + counts.customers * customer_bytes +
                 counts.customer_text + counts.purchases * sizeof(struct aff_purchase) +
                 counts.rows * (sizeof(struct aff_row) + MALLOC_BYTES) +
                 counts.edges * (sizeof(struct aff_neighbour) + sizeof(struct aff_pair_counts));
    return AFF_OK;
}
