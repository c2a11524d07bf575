# SPDX-License-Identifier: Apache-2.0
"""Order files for the import tests, what a database holds of them, and an independent computation of both."""

import csv
import datetime
import io
import random

HEADER = ("order_id", "customer_id", "ordered_at", "product_id", "quantity", "unit_price")


def text_of(rows, header=HEADER):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def random_orders(n_orders, seed):
    """Rows of orders and cancellations of few customers and products, so that returns find and miss purchases."""
    rng = random.Random(seed)
    start = datetime.datetime(2024, 1, 1)
    rows = []
    for number in range(n_orders):
        cancels = rng.random() < 0.15
        customer = "" if rng.random() < 0.1 else f"K{rng.randrange(12)}"
        at = (start + datetime.timedelta(hours=rng.randrange(n_orders))).strftime("%Y-%m-%dT%H:%M:%SZ")
        for _ in range(rng.randrange(1, 5)):
            quantity = rng.randrange(1, 6)
            if cancels or rng.random() < 0.05:
                quantity = -quantity
            price = f"{rng.randrange(1, 4)}.{rng.randrange(100):02d}"
            rows.append((f"{'C' if cancels else 'A'}{number}", customer, at, f"P{rng.randrange(15)}", quantity, price))
    return rows


def stored(database):
    """Everything that an import of orders writes, without our own numbers, in a fixed sequence."""
    return database.sql(
        """
        SELECT 'order', o.id, coalesce(c.id, ''), o.ordered_at, o.cancels::text, o.digest::text, '', '', ''
          FROM affinity.orders o LEFT JOIN affinity.customer c USING (store, customer)
        UNION ALL
        SELECT 'line', o.id, coalesce(c.id, ''), l.ordered_at, p.id, l.quantity::text, l.returned::text,
               l.unit_price::text, coalesce(l.unit_cost::text, '-') || l.discounted
          FROM affinity.order_line l JOIN affinity.orders o USING (store, order_key)
          JOIN affinity.product p ON p.store = l.store AND p.product = l.product
          LEFT JOIN affinity.customer c ON c.store = l.store AND c.customer = l.customer
        UNION ALL SELECT 'product', id, '', NULL, '', '', '', '', '' FROM affinity.product
        UNION ALL SELECT 'customer', id, '', NULL, '', '', '', '', '' FROM affinity.customer
        ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9
        """
    )


def staging_tables(database):
    return database.sql("SELECT relname FROM pg_class WHERE relname LIKE 'import\\_s%' AND relkind = 'r'")


def match_returns(lines):
    """Last in, first out, one customer and product at a time. `lines`: dicts with customer, product, at, key,
    quantity; sets `returned` of purchases and `unfound` of returns."""
    groups = {}
    for line in lines:
        line["returned"] = 0
        line["unfound"] = -line["quantity"] if line["quantity"] < 0 else 0
        if line["customer"]:
            groups.setdefault((line["customer"], line["product"]), []).append(line)
    for group in groups.values():
        stack = []
        for line in sorted(group, key=lambda one: (one["at"], one["quantity"] < 0, one["key"])):
            if line["quantity"] > 0:
                stack.append(line)
                continue
            while line["unfound"] > 0 and stack:
                taken = min(line["unfound"], stack[-1]["quantity"] - stack[-1]["returned"])
                stack[-1]["returned"] += taken
                line["unfound"] -= taken
                if stack[-1]["returned"] == stack[-1]["quantity"]:
                    stack.pop()
