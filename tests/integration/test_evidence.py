# SPDX-License-Identifier: Apache-2.0
"""The evidence that the service gives, against a plain SQL self-join of the real shop's order lines."""

import random

import pytest

PAIRS = 1000
# Each product of an order once, as long as not all its units were returned.
LINES = """
CREATE TABLE line AS SELECT order_key, p.id, sum((quantity - returned) * unit_price)::bigint AS revenue
  FROM affinity.order_line JOIN affinity.product p USING (store, product)
  WHERE quantity > returned GROUP BY order_key, p.id;
CREATE INDEX ON line (id, order_key);
CREATE TABLE single AS SELECT id, count(*) AS orders FROM line GROUP BY id;
CREATE TABLE sample (a text, b text);
"""
SELF_JOIN = """
SELECT s.a, s.b, count(*), sum(y.revenue), max(sa.orders), max(sb.orders), (SELECT count(DISTINCT order_key) FROM line)
  FROM sample s JOIN line x ON x.id = s.a JOIN line y ON y.order_key = x.order_key AND y.id = s.b
  JOIN single sa ON sa.id = s.a JOIN single sb ON sb.id = s.b GROUP BY s.a, s.b
"""


def test_evidence_of_a_thousand_pairs_equals_a_plain_self_join(ctl, service, database, data_dir):
    ctl("import", "orders", "--quiet", data_dir / "online_retail" / "order_lines.csv.gz", database=database)
    # Without a cap no basket is truncated, so that a plain self-join says the same.
    ctl("rebuild", "--quiet", "--set", "learn.basket_cap=65535", database=database)
    one = service(database)
    products = [row[0] for row in database.sql("SELECT id FROM affinity.product ORDER BY id")]
    chance = random.Random(11)
    evidence = {}
    while len(evidence) < PAIRS:
        product = chance.choice(products)
        items = one.get(f"/v1/products/{product}/affinities", relation="together", limit=100).json()["items"]
        for item in chance.sample(items, min(len(items), 20)):
            evidence[product, item["product"]] = item["evidence"]
    values = ", ".join(f"('{a}', '{b}')" for a, b in evidence)
    database.sql(LINES + f"INSERT INTO sample VALUES {values}; ANALYZE line, single, sample")
    rows = database.sql(SELF_JOIN)
    assert len(rows) == len(evidence) >= PAIRS
    for a, b, *counts in rows:
        both, revenue, n_a, n_b, n = map(int, counts)
        got = evidence[a, b]
        assert (got["pair_orders"], got["product_orders"], got["other_orders"], got["total_orders"]) == (both, n_a, n_b, n)
        assert got["revenue"]["amount"] == revenue
        assert got["support"] == pytest.approx(both / n, rel=1e-9)
        assert got["confidence"] == pytest.approx(both / n_a, rel=1e-9)
        assert got["reverse_confidence"] == pytest.approx(both / n_b, rel=1e-9)
        assert got["lift"] == pytest.approx(both * n / (n_a * n_b), rel=1e-9)
        assert got["lift_ci95"][0] < got["lift"] < got["lift_ci95"][1]
