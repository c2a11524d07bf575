# SPDX-License-Identifier: Apache-2.0
"""The whole of a real shop against a computation of its own: the public data set "Online Retail"."""

import collections
import csv
import gzip
import re
from decimal import Decimal

import pytest

from import_files import match_returns


@pytest.fixture(scope="module")
def lines(data_dir):
    """The lines that the rules of import.conf keep, as dicts, and the number of those left out."""
    kept, no_product, free = [], 0, 0
    with gzip.open(data_dir / "online_retail" / "order_lines.csv.gz", "rt", newline="") as file:
        for row in csv.DictReader(file):
            price = Decimal(row["unit_price"])
            if not re.match("[0-9]{5}", row["product_id"]):
                no_product += 1
            elif price == 0:
                free += 1
            else:
                quantity = int(row["quantity"])
                kept.append(
                    {
                        "order": row["order_id"],
                        "customer": row["customer_id"],
                        "product": row["product_id"],
                        "at": row["ordered_at"],
                        "quantity": quantity,
                        "price": int(price * 100),
                    }
                )
    first = {}
    for line in kept:
        first[line["order"]] = min(first.get(line["order"], line["at"]), line["at"])
    for line in kept:
        line["at"] = first[line["order"]]
    return kept, no_product, free


def number(text, after):
    return int(re.search(rf"([\d,]+) {re.escape(after)}", text).group(1).replace(",", ""))


def test_the_real_shop_is_stored_as_computed_by_hand(ctl, database, data_dir, lines):
    kept, no_product, free = lines
    folder = data_dir / "online_retail"
    result = ctl("import", "orders", folder / "order_lines.csv.gz", database=database)
    orders = {line["order"] for line in kept}
    assert number(result.stdout, "new, 0 changed, 0 unchanged") == len(orders)
    assert number(result.stdout, "lines stored") == len(kept)
    assert number(result.stdout, "lines left out: the product") == no_product
    assert number(result.stdout, "lines left out: a price of zero") == free
    assert number(result.stdout, "records in") == 541909
    assert database.sql("SELECT currency FROM affinity.store") == [("GBP",)]
    assert database.sql("SELECT count(*) FROM affinity.orders WHERE cancels") == [
        (str(sum(order.startswith("C") for order in orders)),)
    ]

    # Ties of time are decided by the order's key, which is the program's own; it is taken from the tables.
    keys = dict(database.sql("SELECT id, order_key FROM affinity.orders"))
    for line in kept:
        line["key"] = (int(keys[line["order"]]), line["quantity"])
    match_returns(kept)
    returns = [line for line in kept if line["quantity"] < 0]
    assert number(result.stdout, "returns matched with") == sum(
        line["unfound"] == 0 for line in returns if line["customer"]
    )
    assert number(result.stdout, "returns matched for a part") == sum(
        0 < line["unfound"] < -line["quantity"] for line in returns
    )
    # Lines of the same order, product and quantity at different prices may change places: compare their sums.
    expected, found = collections.Counter(), collections.Counter()
    for line in kept:
        expected[line["order"], line["customer"], line["product"], line["quantity"], line["at"]] += line["returned"]
        expected["price", line["order"], line["product"], line["quantity"]] += line["price"]
    for order, customer, product, quantity, at, returned, price in database.sql(
        "SELECT o.id, coalesce(c.id, ''), p.id, l.quantity, to_char(l.ordered_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
        " l.returned, l.unit_price FROM affinity.order_line l JOIN affinity.orders o USING (store, order_key)"
        " JOIN affinity.product p ON p.store = l.store AND p.product = l.product"
        " LEFT JOIN affinity.customer c ON c.store = l.store AND c.customer = l.customer"
    ):
        found[order, customer, product, int(quantity), at] += int(returned)
        found["price", order, product, int(quantity)] += int(price)
    assert found == expected

    result = ctl("import", "products", folder / "products.csv.gz", database=database)
    assert number(result.stdout, "rows with an amount that was rounded") == 46
    assert database.sql("SELECT count(*) FROM affinity.product WHERE id !~ '^[0-9]{5}'") == [("0",)]
    assert "customers: 10 new, 4,362 changed" in ctl(
        "import", "customers", folder / "customers.csv.gz", database=database
    ).stdout
    again = ctl("import", "orders", folder / "order_lines.csv.gz", database=database)
    assert f"orders: 0 new, 0 changed, {len(orders):,} unchanged" in again.stdout
