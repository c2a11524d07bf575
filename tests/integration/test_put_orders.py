# SPDX-License-Identifier: Apache-2.0
"""aff_orders_put(): small batches of orders beside other writers, driven by tests/support/drivers/put_orders.c."""

import datetime
import random
import subprocess
import threading

import pytest

import small_fold
from import_files import match_returns, stored, text_of
from support.programs import environment

START = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc)
STORE = "INSERT INTO affinity.store (store, name, currency) VALUES (1, 'main', 'EUR');"


def at(hours):
    return int((START + datetime.timedelta(hours=hours)).timestamp()) * 1_000_000


def line(product, customer="", hours=0, quantity=1, price=100, cost=None, discounted=False, cancels=False):
    return (product, customer, at(hours), quantity, price, "-" if cost is None else cost, int(discounted), int(cancels))


class Writer:
    """One connection that writes batches: put({"A1": [line(...)], "A2": []})."""

    def __init__(self, build, database):
        self.process = subprocess.Popen(
            [build / "tests" / "put_orders_driver", database.url, "1"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=environment(),
        )
        self.again = []
        self.numbers = {}

    def put(self, orders, wait_ms=0, rollback=False):
        """The outcome of each order; `orders` is a dict or a list of pairs of id and lines."""
        words = []
        for id, lines in orders.items() if isinstance(orders, dict) else orders:
            words.append(f"order\t{id}\n")
            words.extend("line\t" + "\t".join(map(str, one)) + "\n" for one in lines)
        words.append(f"wait\t{wait_ms}\n" if wait_ms else "")
        words.append("rollback\n" if rollback else "")
        self.process.stdin.write("".join(words) + "put\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().rstrip("\n")
        while answer.startswith("again"):
            self.again.append(answer)
            answer = self.process.stdout.readline().rstrip("\n")
        assert answer.startswith("done"), answer or "the driver has died"
        outcomes, numbers = answer.split("\t")
        self.numbers = {name: int(value) for name, value in (word.split("=") for word in numbers.split())}
        return outcomes.split(" ")[1:]

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(30) == 0


@pytest.fixture
def shop(ctl, database):
    database.sql(STORE + small_fold.SQL)
    ctl("rebuild", "--quiet", database=database)
    return database


@pytest.fixture
def writers(build, shop):
    opened = []

    def open_one():
        opened.append(Writer(build, shop))
        return opened[-1]

    yield open_one
    for writer in opened:
        writer.close()


OUTBOX = (
    "SELECT o.id, q.customer, q.ordered_at, q.products, q.units, q.unit_prices, q.unit_costs, q.discounted"
    " FROM affinity.order_outbox q LEFT JOIN affinity.orders o USING (store, order_key) ORDER BY q.change"
)
LINES = (
    "SELECT o.id, coalesce(c.id, '-'), p.id, l.quantity, l.returned, l.unit_price, l.unit_cost, l.discounted"
    " FROM affinity.order_line l JOIN affinity.orders o USING (store, order_key) JOIN affinity.product p USING (store, product)"
    " LEFT JOIN affinity.customer c ON c.store = l.store AND c.customer = l.customer ORDER BY o.id, l.line"
)


def test_orders_are_created_changed_left_alone_and_deleted(shop, writers):
    one = writers()
    first = {"A1": [line("tea", "ann", 1, 2, 500, 200), line("pot", "ann", 1, 1, 3000, None, True)], "A2": [line("tea")]}
    assert one.put(first) == ["created", "created"]
    assert one.numbers["products_new"] == 2 and one.numbers["customers_new"] == 1 and one.numbers["products_priced"] == 2
    assert shop.sql(LINES) == [
        ("A1", "ann", "tea", "2", "0", "500", "200", "f"),
        ("A1", "ann", "pot", "1", "0", "3000", "", "t"),
        ("A2", "-", "tea", "1", "0", "100", "", "f"),
    ]
    assert shop.sql("SELECT id, price FROM affinity.product ORDER BY 1") == [("pot", "3000"), ("tea", "500")]
    assert [row[1:] for row in shop.sql(OUTBOX)] == [("",) * 7] * 2
    assert one.put(first) == ["unchanged", "unchanged"]
    assert shop.number("SELECT count(*) FROM affinity.order_outbox") == 2
    shop.sql("DELETE FROM affinity.order_outbox")
    numbers = dict(shop.sql("SELECT id, product FROM affinity.product"))
    changed = {"A1": [line("tea", "ann", 1, 3, 500, 200)], "A2": [], "A3": []}
    assert one.put(changed) == ["changed", "deleted", "unchanged"]
    customer = shop.sql("SELECT customer FROM affinity.customer")[0][0]
    rows = sorted(shop.sql(OUTBOX))
    assert rows == [
        ("", "", "2025-01-01 00:00:00+00", f"{{{numbers['tea']}}}", "{1}", "{100}", "{NULL}", "{f}"),
        ("A1", customer, "2025-01-01 01:00:00+00", f"{{{numbers['tea']},{numbers['pot']}}}", "{2,1}", "{500,3000}", "{200,NULL}", "{f,t}"),
    ]
    assert shop.sql(LINES) == [("A1", "ann", "tea", "3", "0", "500", "200", "f")]
    assert one.put({"A2": [line("tea", "bob", 5)]}) == ["created"]


def test_an_order_is_stored_as_an_import_stores_it(ctl, shop, writers, tmp_path):
    header = ("order_id", "customer_id", "ordered_at", "product_id", "quantity", "unit_price")
    rng = random.Random(3)
    rows, orders = [], {}
    for number in range(60):
        for _ in range(rng.randrange(1, 4)):
            # Lines of one order that name several customers and times, among them ids with every kind of byte.
            customer = rng.choice(["", "K1", "k2", "É\\3", '"4"', "NULL"])
            product = rng.choice(["P,1", "P{2}", "ß", "null", "P'5"])
            quantity = rng.choice([1, 2, 3, -1])
            hours = rng.randrange(500)
            time = (START + datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
            rows.append((f"O{number}", customer, time, product, quantity, f"{quantity + 2}.00"))
            orders.setdefault(f"O{number}", []).append(line(product, customer, hours, quantity, (quantity + 2) * 100))
    file = tmp_path / "orders.csv"
    file.write_text(text_of(rows, header), encoding="utf-8", newline="")
    ctl("import", "orders", file, database=shop)
    imported = stored(shop)
    prices = shop.sql("SELECT id, price FROM affinity.product ORDER BY 1")
    shop.sql("TRUNCATE affinity.orders, affinity.order_line, affinity.order_outbox; DELETE FROM affinity.product; DELETE FROM affinity.customer")
    writer = writers()
    names = sorted(orders)
    rng.shuffle(names)
    assert set(writer.put({name: orders[name] for name in names})) == {"created"}
    assert stored(shop) == imported
    assert shop.sql("SELECT id, price FROM affinity.product ORDER BY 1") == prices
    result = ctl("import", "orders", "--restart", file, database=shop)
    assert "0 new, 0 changed, 60 unchanged" in result.stdout


def test_returns_are_matched_whatever_came_first_and_queue_the_orders_that_they_change(shop, writers):
    writer = writers()
    assert writer.put({"C3": [line("tea", "ann", 30, -3, cancels=True)]}) == ["created"]
    writer.put({"A1": [line("tea", "ann", 10, 2)]})
    writer.put({"A2": [line("tea", "ann", 20, 2)]})
    returned = "SELECT o.id, l.returned FROM affinity.order_line l JOIN affinity.orders o USING (store, order_key) WHERE quantity > 0 ORDER BY 1"
    assert shop.sql(returned) == [("A1", "1"), ("A2", "2")]
    assert writer.numbers["returned"] == 1  # A1, of which C3 had taken back two units before A2 came
    shop.sql("DELETE FROM affinity.order_outbox")
    assert writer.put({"C3": [line("tea", "ann", 30, -1, cancels=True)]}) == ["changed"]
    assert shop.sql(returned) == [("A1", "0"), ("A2", "1")]
    assert writer.numbers["returned"] == 2
    assert sorted((row[0], row[4]) for row in shop.sql(OUTBOX)) == [("A1", "{1}"), ("A2", "{}"), ("C3", "{}")]
    # The return goes over to another customer, then goes away.
    writer.put({"C3": [line("tea", "bob", 30, -1, cancels=True)]})
    assert shop.sql(returned) == [("A1", "0"), ("A2", "0")]
    writer.put({"A4": [line("tea", "bob", 30, 1)]})
    assert shop.sql(returned) == [("A1", "0"), ("A2", "0"), ("A4", "1")]
    assert writer.put({"C3": []}) == ["deleted"]
    assert shop.sql(returned) == [("A1", "0"), ("A2", "0"), ("A4", "0")]


def test_a_batch_may_repeat_an_order_and_refuses_a_colliding_key(shop, writers):
    writer = writers()
    assert writer.put([("A1", [line("tea")]), ("A2", [line("tea")]), ("A1", [line("pot")])]) == ["repeated", "created", "created"]
    assert shop.sql("SELECT o.id, p.id FROM affinity.order_line l JOIN affinity.orders o USING (store, order_key) JOIN affinity.product p USING (store, product) ORDER BY 1") == [
        ("A1", "pot"),
        ("A2", "tea"),
    ]
    # No two texts with one key are known; so the other order of the key is made by hand.
    shop.sql("UPDATE affinity.orders SET id = 'other' WHERE id = 'A2'")
    assert writer.put({"A2": [line("cup")], "A3": [line("tea")]}) == ["colliding", "created"]
    assert shop.number("SELECT count(*) FROM affinity.orders") == 3
    assert shop.sql("SELECT count(*) FROM affinity.orders WHERE id = 'other'") == [("1",)]


def test_what_is_rolled_back_leaves_nothing(shop, writers):
    writer = writers()
    assert writer.put({"A1": [line("tea", "ann")]}, rollback=True) == ["created"]
    for table in ("orders", "order_line", "order_outbox", "product", "customer", "catalogue_change"):
        assert shop.number(f"SELECT count(*) FROM affinity.{table}") == 0


def test_new_products_are_told_to_the_services(shop, writers):
    writer = writers()
    writer.put({"A1": [line("tea"), line("pot")]})
    assert shop.sql("SELECT version, changes_from FROM affinity.catalogue_state") == [("1", "0")]
    assert shop.number("SELECT count(*) FROM affinity.catalogue_change WHERE what = 1 AND version = 1") == 2
    writer.put({"A2": [line("tea"), line("pot")]})
    assert shop.sql("SELECT version FROM affinity.catalogue_state") == [("1",)]
    writer.put({"A3": [line("cup", price=0)]})  # no price yet
    writer.put({"A4": [line("cup", price=70)]})
    assert shop.sql("SELECT version FROM affinity.catalogue_state") == [("3",)]
    assert shop.sql("SELECT c.version FROM affinity.catalogue_change c JOIN affinity.product p ON p.product = key WHERE id = 'cup'") == [("3",)]


def test_a_large_batch_is_written_alike(shop, writers):
    writer = writers()
    orders = {f"A{n}": [line(f"P{n % 50}", f"K{n % 70}", n), line(f"P{n % 49}", f"K{n % 70}", n, 2)] for n in range(1200)}
    assert set(writer.put(orders)) == {"created"}
    assert set(writer.put(orders)) == {"unchanged"}
    assert shop.number("SELECT count(*) FROM affinity.order_line") == 2400


def check_returned(database):
    """`returned` of all lines is what the lines say, computed anew."""
    rows = database.sql(
        "SELECT customer, product, extract(epoch FROM ordered_at), order_key, quantity, returned, line FROM affinity.order_line"
    )
    lines = [
        dict(customer=r[0], product=r[1], at=float(r[2]), key=(int(r[3]), int(r[4]), int(r[6])), quantity=int(r[4]), stored=int(r[5]))
        for r in rows
    ]
    match_returns(lines)
    wrong = [one for one in lines if one["returned"] != one["stored"]]
    assert wrong == []
    return sum(one["returned"] > 0 for one in lines)


def test_concurrent_writers_and_folds_leave_exact_tables(shop, writers):
    """Six writers of the same few orders, customers and products, with late commits and rollbacks, beside a fold."""
    last, failures = {}, []
    stop = threading.Event()

    def write(writer, seed):
        rng = random.Random(seed)
        try:
            for round in range(60):
                orders = {}
                for number in rng.sample(range(40), rng.randrange(1, 8)):
                    customer = rng.choice(["", "K1", "K2", "K3", "K4"])
                    orders[f"O{number}"] = [
                        # One line a product, so that ties of equal lines cannot hide a wrong sequence.
                        line(f"P{product}", customer, rng.randrange(200), rng.choice([1, 2, 3, -1, -2]), rng.randrange(1, 900), rng.choice([None, 5]), rng.random() < 0.2)
                        for product in rng.sample(range(6 + round // 20), rng.randrange(0, 4))
                    ]
                names = list(orders)
                rng.shuffle(names)
                wait = rng.randrange(1, 60) if rng.random() < 0.2 else 0
                writer.put({name: orders[name] for name in names}, wait_ms=wait, rollback=rng.random() < 0.15)
        except BaseException as failure:
            failures.append(failure)

    def fold():
        try:
            while not stop.is_set():
                small_fold.fold(shop)
        except BaseException as failure:
            failures.append(failure)

    open_writers = [writers() for _ in range(6)]
    threads = [threading.Thread(target=write, args=(writer, seed)) for seed, writer in enumerate(open_writers)]
    folder = threading.Thread(target=fold)
    for thread in threads + [folder]:
        thread.start()
    for thread in threads:
        thread.join(240)
    stop.set()
    folder.join(60)
    assert not failures, failures[0]
    assert [again for writer in open_writers for again in writer.again] == [], "writers waited for each other in a circle"
    assert check_returned(shop) > 3
    small_fold.fold(shop)
    assert shop.number("SELECT count(*) FROM affinity.order_outbox") == 0
    assert shop.sql(small_fold.COUNTED) == shop.sql(small_fold.TRUE)
    # The lines are those of the orders: no order without lines, no line without its order, customers as the orders say.
    assert shop.number("SELECT count(*) FROM affinity.order_line l LEFT JOIN affinity.orders o USING (store, order_key) WHERE o.id IS NULL OR o.customer IS DISTINCT FROM l.customer OR o.ordered_at <> l.ordered_at") == 0
    assert shop.number("SELECT count(*) FROM affinity.orders o WHERE NOT EXISTS (SELECT FROM affinity.order_line l WHERE l.order_key = o.order_key)") == 0


def test_an_import_that_applies_waits_for_writers_and_they_for_it(build, ctl, shop, writers, tmp_path):
    header = ("order_id", "customer_id", "ordered_at", "product_id", "quantity", "unit_price")
    rows = [(f"O{n}", f"K{n % 3}", f"2025-02-{n % 27 + 1:02d}T10:00:00Z", f"P{n % 5}", n % 4 - 1 or 1, "3.00") for n in range(60)]
    file = tmp_path / "orders.csv"
    file.write_text(text_of(rows, header))
    failures = []

    def write(writer, seed):
        rng = random.Random(seed)
        try:
            for _ in range(60):
                writer.put({f"O{rng.randrange(60)}": [line(f"P{rng.randrange(5)}", f"K{rng.randrange(3)}", rng.randrange(900), rng.choice([1, 3, -1]))]})
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=write, args=(writers(), seed)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        ctl("import", "orders", "--restart", file, database=shop)
        small_fold.fold(shop)
    for thread in threads:
        thread.join(120)
    assert not failures, failures[0]
    check_returned(shop)
    small_fold.fold(shop)
    assert shop.sql(small_fold.COUNTED) == shop.sql(small_fold.TRUE)
