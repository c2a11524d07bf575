# SPDX-License-Identifier: Apache-2.0
"""aff_catalogue_put(): small batches of products and customers, driven by tests/support/drivers/put_catalogue.c; and
what imports say of the products and customers that they change."""

import random
import subprocess
import threading

import pytest

from support.programs import environment

PRODUCT = ["name", "category", "brand", "price", "compare_at", "cost", "stock", "available", "durable", "attributes"]
CUSTOMER = ["country", "segment", "attributes"]
NO_MONEY, NO_STOCK = str(-(2**63)), str(-(2**31))


class Writer:
    """One connection that writes batches: put(("tea", {"price": 500})), None is null."""

    def __init__(self, build, database, kind):
        self.columns = PRODUCT if kind == "products" else CUSTOMER
        self.process = subprocess.Popen(
            [build / "tests" / "put_catalogue_driver", database.url, "1", kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=environment(),
        )

    def put(self, *entries, rollback=False):
        """Outcomes, version, rows."""
        for id, values in entries:
            fields = [
                f"{self.columns.index(name)}" + ("" if value is None else f"={value}") for name, value in values.items()
            ]
            self.process.stdin.write("\t".join(["entry", id, *fields]) + "\n")
        self.process.stdin.write("rollback\nput\n" if rollback else "put\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().rstrip("\n").split("\t")
        assert answer[0].startswith("done"), answer
        return answer[0].split(" ")[1:], int(answer[1]), answer[2:]

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(30) == 0


@pytest.fixture
def shop(ctl, database):
    database.sql("INSERT INTO affinity.store (store, name, currency) VALUES (1, 'main', 'EUR')")
    ctl("rebuild", "--quiet", database=database)
    return database


@pytest.fixture
def writers(build, shop):
    opened = []

    def open_one(kind="products"):
        opened.append(Writer(build, shop, kind))
        return opened[-1]

    yield open_one
    for writer in opened:
        writer.close()


CHANGES = "SELECT what, coalesce(p.id, c.id), version FROM affinity.catalogue_change LEFT JOIN affinity.product p ON what = 1 AND p.product = key LEFT JOIN affinity.customer c ON what = 2 AND c.customer = key ORDER BY 1, 2"


def test_only_what_is_said_is_written_and_the_whole_row_comes_back(shop, writers):
    one = writers()
    outcomes, version, rows = one.put(
        ("tea", {"name": 'Green "tea" {1}, \\x', "price": 500, "stock": 7, "attributes": '{"origin": "Uji", "old": null, "organic": true}'}),
        ("pot", {}),
    )
    assert (outcomes, version) == (["added", "added"], 1)
    assert rows == [
        f'tea|Green "tea" {{1}}, \\x|||500|{NO_MONEY}|{NO_MONEY}|7|1|0|organic:true|origin:Uji',
        f"pot||||{NO_MONEY}|{NO_MONEY}|{NO_MONEY}|{NO_STOCK}|1|0",
    ]
    outcomes, version, rows = one.put(("tea", {"price": 500}), ("pot", {"brand": "Tokoname", "available": "false"}))
    assert (outcomes, version) == (["unchanged", "changed"], 2)
    assert rows[0].startswith('tea|Green "tea"') and rows[1].startswith("pot|||Tokoname|") and rows[1].endswith("|0|0")
    outcomes, version, rows = one.put(("tea", {"price": None, "stock": None, "durable": "true"}))
    assert (outcomes, version) == (["changed"], 3)
    assert rows[0].split("|")[4:10] == [NO_MONEY, NO_MONEY, NO_MONEY, NO_STOCK, "1", "1"]
    assert shop.sql(CHANGES) == [("1", "pot", "2"), ("1", "tea", "3")]
    assert one.put(("tea", {"price": None}), ("pot", {})) [:2] == (["unchanged", "unchanged"], 3)


def test_entries_of_one_id_are_joined(shop, writers):
    one = writers()
    outcomes, version, rows = one.put(("tea", {"price": 1, "name": "Tea"}), ("cup", {}), ("tea", {"price": 2}))
    assert (outcomes, version) == (["added", "added", "added"], 1)
    assert rows[0] == rows[2] and rows[0].startswith("tea|Tea|||2|")


def test_customers_are_written_alike(shop, writers):
    one = writers("customers")
    assert one.put(("ann", {"country": "DE"}), ("bob", {"segment": "b2b"}))[:2] == (["added", "added"], 1)
    assert one.put(("ann", {"country": "DE"}), ("bob", {"country": "FR"}))[:2] == (["unchanged", "changed"], 2)
    assert shop.sql("SELECT id, country, segment FROM affinity.customer ORDER BY 1") == [("ann", "DE", ""), ("bob", "FR", "b2b")]
    assert shop.sql(CHANGES) == [("2", "ann", "1"), ("2", "bob", "2")]


def test_what_is_rolled_back_changes_no_version(shop, writers):
    one = writers()
    one.put(("tea", {"price": 1}), rollback=True)
    assert shop.number("SELECT count(*) FROM affinity.product") == 0
    assert shop.sql("SELECT version FROM affinity.catalogue_state") == [("0",)]


def test_concurrent_writers_get_versions_in_the_sequence_of_their_commits(shop, writers):
    failures, seen = [], []

    def write(writer, seed):
        rng = random.Random(seed)
        try:
            for _ in range(40):
                writer.put(
                    *((f"P{number}", {"price": rng.randrange(1, 4), "stock": seed}) for number in rng.sample(range(8), 4)),
                    rollback=rng.random() < 0.2,
                )
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=write, args=(writers(), seed)) for seed in range(4)]
    for thread in threads:
        thread.start()
    # A follower that takes what is newer than its version has the tables' rows in the end.
    held, version = {}, 0
    while True:
        last = not any(thread.is_alive() for thread in threads)
        rows = shop.sql(
            f"SELECT s.version, p.id, p.price, p.stock FROM affinity.catalogue_state s LEFT JOIN affinity.catalogue_change c ON c.version > {version} LEFT JOIN affinity.product p ON p.product = c.key"
        )
        held.update({id: (price, stock) for _, id, price, stock in rows if id})
        assert int(rows[0][0]) >= version
        version = int(rows[0][0])
        if last:
            break
    assert not failures, failures[0]
    assert held == {id: (price, stock) for id, price, stock in shop.sql("SELECT id, price, stock FROM affinity.product")}


def test_imports_tell_what_they_have_changed(ctl, shop, tmp_path):
    products = tmp_path / "products.csv"
    products.write_text("product_id,name,price\ntea,Tea,5.00\npot,Pot,35.00\n")
    ctl("import", "products", products, "--quiet", database=shop)
    assert shop.sql(CHANGES) == [("1", "pot", "1"), ("1", "tea", "1")]
    ctl("import", "products", products, "--quiet", database=shop)
    assert shop.sql("SELECT version FROM affinity.catalogue_state") == [("1",)]
    products.write_text("product_id,name,price\ntea,Tea,6.00\ncup,Cup,9.00\npot,Pot,35.00\n")
    ctl("import", "products", products, "--quiet", database=shop)
    assert shop.sql(CHANGES) == [("1", "cup", "2"), ("1", "pot", "1"), ("1", "tea", "2")]
    orders = tmp_path / "orders.csv"
    orders.write_text("order_id,customer_id,ordered_at,product_id,quantity,unit_price\nA1,ann,2025-01-01,lamp,1,9\nA1,ann,2025-01-01,tea,1,9\n")
    ctl("import", "orders", orders, "--quiet", database=shop)
    assert shop.sql(CHANGES) == [("1", "cup", "2"), ("1", "lamp", "3"), ("1", "pot", "1"), ("1", "tea", "2")]
    many = tmp_path / "many.csv"
    many.write_text("product_id,name\n" + "".join(f"X{n},Thing\n" for n in range(20001)))
    ctl("import", "products", many, "--quiet", database=shop)
    assert shop.sql(CHANGES) == []
    assert shop.sql("SELECT version, changes_from FROM affinity.catalogue_state") == [("4", "4")]
