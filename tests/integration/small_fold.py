# SPDX-License-Identifier: Apache-2.0
"""A fold in SQL, as small as the protocol of the feed allows (sql/migrations/002_feed.sql), for one store, 1.

It claims as the protocol says and keeps sums of the counted lines in product_stat: `orders` counts units, `weight`
customers and times, `revenue` and `margin` money, `discounted` lines. An order that is lost or counted twice, or
whose content before the change was not what had been counted, leaves other sums than TRUE.
"""

SQL = """
CREATE FUNCTION public.fold() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE keep boolean; claimed_orders bigint;
BEGIN
    SELECT rebuilding INTO keep FROM affinity.state WHERE store = 1 FOR UPDATE;
    UPDATE affinity.state SET version = version + 1 WHERE store = 1;
    CREATE TEMPORARY TABLE claimed ON COMMIT DROP AS
        SELECT DISTINCT ON (order_key) order_key, customer, ordered_at, products, units, unit_prices, unit_costs, discounted
        FROM affinity.order_outbox WHERE store = 1 AND NOT folded ORDER BY order_key, change;
    IF keep THEN UPDATE affinity.order_outbox SET folded = true WHERE store = 1 AND NOT folded;
    ELSE DELETE FROM affinity.order_outbox WHERE store = 1 AND NOT folded; END IF;
    INSERT INTO affinity.product_stat AS s (store, product, orders, weight, revenue, margin, discounted, last_at)
        SELECT 1, product, sum(sign * units), sum(sign * units * public.mark(customer, ordered_at)),
            sum(sign * units * price), sum(sign * units * coalesce(cost, -7)), sum(sign * discounted::integer), '2025-06-01'
        FROM (SELECT -1 AS sign, customer, ordered_at, l.* FROM claimed,
                unnest(products, units, unit_prices, unit_costs, discounted) l (product, units, price, cost, discounted)
            UNION ALL SELECT 1, l.customer, l.ordered_at, product, quantity - returned, unit_price, unit_cost, l.discounted
            FROM affinity.order_line l JOIN claimed USING (order_key) WHERE store = 1 AND quantity > returned) d
        GROUP BY product
    ON CONFLICT (store, product) DO UPDATE SET orders = s.orders + excluded.orders, weight = s.weight + excluded.weight,
        revenue = s.revenue + excluded.revenue, margin = s.margin + excluded.margin,
        discounted = s.discounted + excluded.discounted;
    DELETE FROM affinity.product_stat WHERE store = 1 AND orders = 0;
    INSERT INTO affinity.touched SELECT 1, 4, g, (SELECT version FROM affinity.state WHERE store = 1)
        FROM generate_series(1, 4) g ON CONFLICT (store, what, key) DO UPDATE SET version = excluded.version;
    SELECT count(*) INTO claimed_orders FROM claimed;
    RETURN claimed_orders;
END $$;
CREATE FUNCTION public.mark(customer bigint, at timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS
    'SELECT coalesce($1, 99) * 1000 + extract(epoch FROM $2)::bigint / 60 % 1000';
"""

COUNTED = "SELECT product, orders, weight, revenue, margin, discounted FROM affinity.product_stat ORDER BY 1"
TRUE = """SELECT product, sum(units), sum(units * public.mark(customer, ordered_at)), sum(units * unit_price),
        sum(units * coalesce(unit_cost, -7)), sum(discounted::integer)
    FROM (SELECT *, quantity - returned AS units FROM affinity.order_line) l WHERE units > 0 GROUP BY 1 ORDER BY 1"""


def fold(database):
    """Folds what is queued, again when a rebuild changed the state meanwhile; the number of orders."""
    while True:
        try:
            return int(database.sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT public.fold(); COMMIT")[0][0])
        except AssertionError as error:
            if "could not serialize access" not in str(error):
                raise
