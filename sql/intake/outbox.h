/* SPDX-License-Identifier: Apache-2.0 */
/* Queueing changed orders (sql/migrations/002_feed.sql), for all who write orders. */
#pragma once

/* A statement that queues the orders whose keys `keys` gives, a table or a query in parentheses with the
 * column order_key, with the content that they have at this moment; those that are not stored are left out.
 * `store` is the store's number or parameter, of type integer; it occurs twice. */
#define AFF_OUTBOX_OLD(keys, store)                                                                          \
    "INSERT INTO affinity.order_outbox (store, order_key, customer, ordered_at, products, units,"            \
    " unit_prices, unit_costs, discounted)"                                                                  \
    " SELECT o.store, o.order_key, o.customer, o.ordered_at, coalesce(l.products, '{}'),"                    \
    " coalesce(l.units, '{}'), coalesce(l.unit_prices, '{}'), coalesce(l.unit_costs, '{}'),"                 \
    " coalesce(l.discounted, '{}') FROM " keys " k"                                                          \
    " JOIN (SELECT * FROM affinity.orders WHERE store = " store ") o ON o.order_key = k.order_key"           \
    " CROSS JOIN LATERAL (SELECT array_agg(product) AS products, array_agg(quantity - returned) AS units,"   \
    " array_agg(unit_price) AS unit_prices, array_agg(unit_cost) AS unit_costs,"                             \
    " array_agg(discounted) AS discounted FROM affinity.order_line"                                          \
    " WHERE store = " store " AND order_key = o.order_key AND quantity > returned) l"
