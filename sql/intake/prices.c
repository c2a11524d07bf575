/* SPDX-License-Identifier: Apache-2.0 */
/* A product that only orders name has no price, and what has no price cannot be offered. Until a product file
 * gives one, it has the unit price of its newest sale; of several at that time the lowest, so that no promise
 * is broken. */
#include "sql/intake/changes.h"
#include "sql/intake/parts.h"

aff_status aff_intake_price_products(struct aff_intake *intake, int64_t *ret_priced, struct aff_error *reterr)
{
    int64_t unpriced = 0;
    aff_status status = aff_intake_numbers(
        intake, &unpriced, 1, reterr,
        "SELECT count(*) FROM affinity.product WHERE store = %d AND price IS NULL", intake->store);

    *ret_priced = 0;
    if (status != AFF_OK || unpriced == 0)
        return status;
    status = aff_catalogue_lock(intake->connection, intake->store, reterr);
    if (status != AFF_OK)
        return status;
    return aff_intake_run(
        intake, ret_priced, reterr,
        "WITH sale AS (SELECT s.product, s.unit_price, i.ordered_at FROM %s s"
        "  JOIN affinity.product p ON p.store = %d AND p.product = s.product AND p.price IS NULL"
        "  JOIN import_order i USING (order_key)"
        "  WHERE s.quantity > 0 AND s.unit_price > 0 AND NOT i.cancels),"
        " newest AS (SELECT product, max(ordered_at) AS ordered_at FROM sale GROUP BY product),"
        " priced AS (UPDATE affinity.product p SET price = f.unit_price, updated_at = now()"
        " FROM (SELECT product, min(unit_price) AS unit_price FROM sale JOIN newest USING (product, "
        "ordered_at)"
        "  GROUP BY product) f"
        " WHERE p.store = %d AND p.product = f.product AND p.price IS NULL RETURNING p.product)"
        " INSERT INTO import_product SELECT product FROM priced",
        intake->staging, intake->store, intake->store);
}
