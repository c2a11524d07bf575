# SPDX-License-Identifier: Apache-2.0
"""A generated store, read the naive way: the reference for what was planted in it, and for what is learned from it."""

import collections
import csv
import json
import math
import pathlib


class DemoStore:
    """The files of one folder. `baskets`: order id -> products that stay after all returns, in the order of time."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.truth = json.loads((self.folder / "truth.json").read_text())
        self.lines = self.table("order_lines.csv")
        self.products = {row["product_id"]: row for row in self.table("products.csv")}
        self.customers = {row["customer_id"]: row for row in self.table("customers.csv")}
        self.take_back()

    def table(self, name):
        with open(self.folder / name, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def take_back(self):
        """A return takes units of the customer's newest purchase of the product first."""
        bought = collections.defaultdict(list)
        kept = collections.defaultdict(list)
        self.head, self.unmatched = {}, 0
        for line in self.lines:
            key, quantity = (line["customer_id"], line["product_id"]), int(line["quantity"])
            if quantity > 0:
                entry = [line["product_id"], quantity]
                kept[line["order_id"]].append(entry)
                bought[key].append(entry)
                self.head[line["order_id"]] = (line["customer_id"], line["ordered_at"])
            while quantity < 0 and bought[key]:
                taken = min(-quantity, bought[key][-1][1])
                bought[key][-1][1] -= taken
                quantity += taken
                if bought[key][-1][1] == 0:
                    bought[key].pop()
            self.unmatched -= min(quantity, 0)
        baskets = {order: {product for product, left in entries if left > 0} for order, entries in kept.items()}
        self.baskets = {order: basket for order, basket in baskets.items() if basket}

    def orders_with(self, *products):
        wanted = set(products)
        return sum(wanted <= basket for basket in self.baskets.values())

    def consecutive(self):
        """(basket, next basket of the same customer, days between) for all of them."""
        by_customer = collections.defaultdict(list)
        for order, basket in self.baskets.items():
            customer, at = self.head[order]
            if customer:
                by_customer[customer].append((at, basket))
        for orders in by_customer.values():
            for (first_at, first), (second_at, second) in zip(orders, orders[1:]):
                yield first, second, first_at, second_at


def binomial_deviation(successes, trials, probability):
    """How many standard deviations the successes lie from what the probability lets expect."""
    expected = trials * probability
    return (successes - expected) / math.sqrt(expected * (1 - probability))


def lift(both, a, b, orders):
    return both * orders / (a * b)
