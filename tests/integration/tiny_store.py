# SPDX-License-Identifier: Apache-2.0
"""A store of six products, written by hand, so that every number in an answer can be checked by eye.

100 orders. tea is in 40 of them, pot in 20, cup in 10, milk in 30, soap in 50; lamp was never bought.
tea and pot share 16 orders, tea and cup 8, pot and cup 5. soap goes with nothing. gone is not available.
"""

import datetime
import re

WRITTEN = datetime.datetime(2026, 11, 20, 13, tzinfo=datetime.timezone.utc)  # the moment that the store was written for
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

PARTITIONED = ["product_stat", "product_month", "pair_together", "pair_next", "next_stat", "neighbour", "customer_history"]


def partitions(store):
    return "".join(
        f"CREATE TABLE affinity.{table}_s{store} PARTITION OF affinity.{table} FOR VALUES IN ({store});"
        for table in PARTITIONED
    )


def neighbour(relation, product, others, scores, orders, store=1):
    """One row of affinity.neighbour whose counts beside `orders` do not matter."""
    n = len(others)
    zeros = "{" + ",".join("0" for _ in range(n)) + "}"
    array = lambda values: "{" + ",".join(str(value) for value in values) + "}"
    gaps = array([7] * n) if relation == 2 else "{}"
    return (
        f"INSERT INTO affinity.neighbour VALUES ({store}, {relation}, {product}, '{array(others)}', "
        f"'{array(scores)}', '{array(orders)}', '{zeros}', '{zeros}', '{zeros}', '{zeros}', '{gaps}');"
    )


def moved(text):
    """The text with its times as far from now as they were from WRITTEN, so that nothing gets old."""
    def move(time):
        return (datetime.datetime.fromisoformat(time[0].replace("Z", "+00:00")) + (NOW - WRITTEN)).strftime("%Y-%m-%dT%H:%M:%SZ")

    return TIME.sub(move, text)


SQL = moved(
    "INSERT INTO affinity.store (store, name, currency) VALUES (1, 'main', 'EUR');"
    + partitions(1)
    + """
    INSERT INTO affinity.product (store, product, id, name, category, price, available, attributes) VALUES
        (1, 1, 'tea', 'Green tea', 'Kitchen > Tea', 500, true, '{"origin": "Uji", "organic": true, "old": null}'),
        (1, 2, 'pot', 'Teapot', 'Kitchen > Tea', 3500, true, '{}'),
        (1, 3, 'cup', 'Täßchen', 'Kitchen > Tea', 900, true, '{}'),
        (1, 4, 'milk', 'Oat milk', 'Food', 250, true, '{}'),
        (1, 5, 'soap', 'Soap', 'Bath', 300, true, '{}'),
        (1, 6, 'lamp', 'Lamp', 'Living', 9900, true, '{}'),
        (1, 7, 'gone', 'Gone', 'Kitchen > Tea', 100, false, '{}');
    INSERT INTO affinity.product_stat VALUES
        (1, 1, 40, 41943040, 20000, 0, 0, '2026-11-20T10:00:00Z'),
        (1, 2, 20, 20971520, 70000, 0, 0, '2026-11-20T10:00:00Z'),
        (1, 3, 10, 10485760, 9000, 0, 0, '2026-11-19T10:00:00Z'),
        (1, 4, 30, 31457280, 7500, 0, 0, '2026-11-18T10:00:00Z'),
        (1, 5, 50, 52428800, 15000, 0, 0, '2026-11-20T10:00:00Z'),
        (1, 7, 30, 31457280, 3000, 0, 0, '2026-11-20T10:00:00Z');
    INSERT INTO affinity.customer (store, customer, id) VALUES (1, 1, 'ann'), (1, 2, 'bob');
    ALTER TABLE affinity.product ALTER COLUMN product RESTART WITH 101;
    ALTER TABLE affinity.customer ALTER COLUMN customer RESTART WITH 101;
    INSERT INTO affinity.catalogue_state (store) VALUES (1);
    INSERT INTO affinity.customer_history VALUES
        (1, 1, 5, '2026-11-01T00:00:00Z', '{4,1}', '{5,1}', '{2026-07-01T00:00:00Z,2026-06-01T00:00:00Z}',
         '{2026-11-01T00:00:00Z,2026-06-01T00:00:00Z}');
    INSERT INTO affinity.state (store, version, published, landmark, half_life_s, window_from, window_to, orders,
        weight, next_orders, rebuilt_at) VALUES (1, 3, 3, '2026-11-20T10:00:00Z', 15552000,
        '2025-11-20T10:00:00Z', '2026-11-20T10:00:00Z', 100, 104857600, 10, '2026-11-20T12:00:00Z');
    """
    + neighbour(1, 1, [2, 7, 3], [0.5, 0.4, 0.25], [16, 12, 8])
    + neighbour(1, 2, [1, 3], [0.75, 0.125], [16, 5])
    + neighbour(1, 3, [1, 2], [0.5, 0.25], [8, 5])
    + neighbour(2, 1, [4], [0.5], [6])
)
