# SPDX-License-Identifier: Apache-2.0
"""affinityctl source: a shop's own tables, with the two worked schemas of docs/source.md on a database of the shop and
a role that only reads."""

import random
import re
import signal
import subprocess
import time

import pytest

import small_fold
from support.database import Database
from support.programs import environment
from test_rebuild import Holder, wait_for


def example(root, name):
    """SQL of the shop's tables, SQL of the views, and the configuration of one example."""
    text = (root / "docs" / "source.md").read_text(encoding="utf-8")
    section = text.split(f"## Example: {name}")[1].split("\n## ")[0]
    tables, views = re.findall(r"```sql\n(.*?)```", section, re.S)
    return tables, views, re.search(r"```ini\n(.*?)```", section, re.S)[1]


class Shop:
    """The shop's database beside ours, with its reading role."""

    def __init__(self, root, build, ctl, ours, theirs, folder, name):
        self.program, self.ctl_program, self.ours, self.db = build / "affinityctl", ctl, ours, theirs
        tables, views, config = example(root, name)
        theirs.sql(tables + views)
        theirs.sql("DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$; GRANT USAGE ON SCHEMA feed TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA feed TO reader")
        self.url = theirs.url.replace("affinity@", "reader@")
        self.config = folder / f"{name}.conf"
        self.config.write_text(config + f"url = {self.url}\n")
        self.arguments = ("--config", self.config, "--quiet")

    def ctl(self, *arguments, **options):
        return self.ctl_program("source", *arguments, *self.arguments, database=self.ours, **options)

    def install_triggers(self):
        self.db.sql(self.ctl("sql", "--trigger").stdout)
        self.db.sql("GRANT SELECT, DELETE ON feed.affinity_outbox TO reader")

    def sync(self, *arguments, check=True):
        return self.ctl("sync", *(arguments or ("--once",)), check=check).stdout

    def lines(self):
        return self.ours.sql(
            "SELECT o.id, coalesce(c.id, '-'), p.id, l.quantity, l.returned, l.unit_price, l.discounted FROM affinity.order_line l"
            " JOIN affinity.orders o USING (store, order_key) JOIN affinity.product p USING (store, product)"
            " LEFT JOIN affinity.customer c ON c.store = l.store AND c.customer = l.customer ORDER BY o.id COLLATE \"C\", p.id COLLATE \"C\", l.line"
        )


@pytest.fixture
def make_shop(root, build, ctl, postgres, database, tmp_path):
    made = []

    def make(name):
        made.append(Database(postgres, postgres.create()))
        return Shop(root, build, ctl, database, made[-1], tmp_path, name)

    yield make
    for one in made:
        one.sql("DROP OWNED BY reader")
        postgres.drop(one.name)


WOO = """
    INSERT INTO woo.wc_products (product_id, name, regular_price, price, stock_quantity) VALUES
        (1, 'Tea', 6, 5, 7), (2, 'Pot', NULL, 35.005, NULL), (3, 'Cup', NULL, 9, 0);
    INSERT INTO woo.wc_orders (id, status, customer_id, date_created_gmt, date_updated_gmt) VALUES
        (10, 'wc-completed', 7, '2025-01-01 10:00', '2025-01-01 10:00'), (11, 'wc-processing', 0, '2025-01-02', '2025-01-02'),
        (12, 'wc-pending', 7, '2025-01-03', '2025-01-03');
    INSERT INTO woo.wc_order_items (order_item_id, order_id, product_id, qty, line_total) VALUES
        (100, 10, 1, 2, 10), (101, 10, 2, 1, 35), (102, 11, 1, 3, 14.99), (103, 12, 3, 1, 9);
"""


@pytest.fixture
def woo(make_shop):
    shop = make_shop("WooCommerce-like")
    shop.db.sql(WOO)
    shop.install_triggers()
    return shop


def test_check_says_that_the_worked_examples_are_right(woo, make_shop):
    text = woo.ctl("check").stdout
    assert "WRONG" not in text and "ok     source.orders: can be read, 2 rows" in text and "may be read and emptied" in text
    assert "WRONG" not in make_shop("Odoo-like").ctl("check").stdout


def test_inserts_edits_refunds_and_deletes_of_the_shop_arrive_by_trigger(woo):
    assert "orders: 2 new, 0 changed, 0 unchanged, 0 deleted; products: 3 written" in woo.sync()
    first = [("10", "7", "1", "2", "0", "500", "f"), ("10", "7", "2", "1", "0", "3500", "f"), ("11", "-", "1", "3", "0", "500", "f")]
    assert woo.lines() == first
    assert woo.ours.sql("SELECT id, name, price, compare_at, stock, available FROM affinity.product ORDER BY id") == [
        ("1", "Tea", "500", "600", "7", "t"),
        ("2", "Pot", "3501", "", "", "t"),
        ("3", "Cup", "900", "", "0", "t"),
    ]
    assert woo.ours.sql("SELECT name, currency FROM affinity.store") == [("main", "EUR")]
    assert "0 new, 0 changed" in woo.sync()
    # Paid; one item more; a refund of one unit, made in one transaction; a price.
    woo.db.sql("UPDATE woo.wc_orders SET status = 'wc-processing' WHERE id = 12")
    woo.db.sql("INSERT INTO woo.wc_order_items VALUES (104, 11, 3, 1, 9)")
    woo.db.sql(
        "BEGIN; INSERT INTO woo.wc_orders VALUES (13, 'shop_order_refund', 'wc-completed', 10, 0, '2025-01-05', '2025-01-05');"
        " INSERT INTO woo.wc_order_items VALUES (105, 13, 1, -1, -5, 100); COMMIT"
    )
    woo.db.sql("UPDATE woo.wc_products SET price = 5.50 WHERE product_id = 1")
    # The refund itself is none of the view's orders, which its trigger cannot know.
    assert "orders: 1 new, 2 changed, 1 unchanged, 0 deleted; products: 1 written" in woo.sync()
    assert woo.lines() == [
        ("10", "7", "1", "1", "0", "500", "f"),
        ("10", "7", "2", "1", "0", "3500", "f"),
        ("11", "-", "1", "3", "0", "500", "f"),
        ("11", "-", "3", "1", "0", "900", "f"),
        ("12", "7", "3", "1", "0", "900", "f"),
    ]
    assert woo.ours.sql("SELECT price FROM affinity.product WHERE id = '1'") == [("550",)]
    # The refund taken back, an order cancelled, one deleted, a product deleted.
    woo.db.sql("DELETE FROM woo.wc_order_items WHERE order_id = 13; DELETE FROM woo.wc_orders WHERE id = 13")
    woo.db.sql("UPDATE woo.wc_orders SET status = 'wc-cancelled' WHERE id = 11")
    woo.db.sql("DELETE FROM woo.wc_order_items WHERE order_id = 12; DELETE FROM woo.wc_orders WHERE id = 12; DELETE FROM woo.wc_products WHERE product_id = 3")
    assert "orders: 0 new, 1 changed, 1 unchanged, 2 deleted; products: 1 written" in woo.sync()
    assert woo.lines() == first[:2]
    assert woo.ours.sql("SELECT id, available FROM affinity.product ORDER BY id") == [("1", "t"), ("2", "t"), ("3", "f")]
    assert woo.db.number("SELECT count(*) FROM feed.affinity_outbox") == 0


def test_a_late_commit_among_fast_ones_arrives(woo):
    woo.sync()
    late = Holder(woo.db, "INSERT INTO woo.wc_orders VALUES (20, 'shop_order', 'wc-completed', 0, 7, '2025-02-01', '2025-02-01'); INSERT INTO woo.wc_order_items VALUES (200, 20, 1, 1, 5)")
    woo.db.sql("INSERT INTO woo.wc_orders VALUES (21, 'shop_order', 'wc-completed', 0, 7, '2025-02-02', '2025-02-02'); INSERT INTO woo.wc_order_items VALUES (210, 21, 1, 1, 5)")
    assert "orders: 1 new" in woo.sync()
    late.session.stdin.write("COMMIT;\n")
    late.release()
    assert "orders: 1 new" in woo.sync()
    assert {line[0] for line in woo.lines()} == {"10", "11", "20", "21"}


def test_a_full_sweep_finds_what_no_trigger_noted(woo):
    woo.sync()
    woo.db.sql("ALTER TABLE woo.wc_orders DISABLE TRIGGER USER; ALTER TABLE woo.wc_order_items DISABLE TRIGGER USER; ALTER TABLE woo.wc_products DISABLE TRIGGER USER")
    woo.db.sql("DELETE FROM woo.wc_orders WHERE id = 11; UPDATE woo.wc_order_items SET qty = 4, line_total = 20 WHERE order_item_id = 100; DELETE FROM woo.wc_products WHERE product_id = 3")
    woo.db.sql("INSERT INTO woo.wc_orders VALUES (30, 'shop_order', 'wc-completed', 0, 9, '2025-02-01', '2025-02-01'); INSERT INTO woo.wc_order_items VALUES (300, 30, 2, 1, 35)")
    assert "orders: 0 new, 0 changed" in woo.sync()
    assert "orders: 1 new, 1 changed, 0 unchanged, 1 deleted; products: 1 written" in woo.sync("--full")
    assert [line[:4] for line in woo.lines()] == [("10", "7", "1", "4"), ("10", "7", "2", "1"), ("30", "9", "2", "1")]
    assert "orders: 0 new, 0 changed, 2 unchanged, 0 deleted; products: 0 written" in woo.sync("--full")


def test_what_breaks_a_rule_is_left_out_and_named_and_the_rest_arrives(woo):
    woo.sync()
    woo.db.sql("UPDATE woo.wc_order_items SET line_total = -5 WHERE order_item_id = 102")
    woo.db.sql("INSERT INTO woo.wc_orders VALUES (40, 'shop_order', 'wc-completed', 0, 7, '2999-01-01', '2025-02-01'); INSERT INTO woo.wc_order_items VALUES (400, 40, 1, 1, 5)")
    woo.db.sql("INSERT INTO woo.wc_orders VALUES (41, 'shop_order', 'wc-completed', 0, 7, '2025-02-01', '2025-02-01'); INSERT INTO woo.wc_order_items VALUES (410, 41, 1, 1, 5)")
    result = woo.ctl("sync", "--once", check=False)
    assert result.returncode == 3
    assert "orders: 1 new, 0 changed, 0 unchanged, 0 deleted" in result.stdout and "left out: 2" in result.stdout
    assert "orders '11': an amount is negative" in result.stderr
    assert "orders '40': ordered_at is before 1970 or more than a day ahead" in result.stderr
    assert [line[0] for line in woo.lines()] == ["10", "10", "11", "41"]  # what we had of 11 stays


def test_a_sync_that_dies_before_it_empties_the_outbox_changes_nothing_twice(woo):
    """Kills it while the shop holds the outbox rows, so that our commit is done and the shop's is not."""
    woo.ours.sql("INSERT INTO affinity.store (store, name, currency) VALUES (1, 'main', 'EUR');" + small_fold.SQL)
    woo.ctl_program("rebuild", "--quiet", database=woo.ours)
    woo.sync()
    small_fold.fold(woo.ours)
    woo.db.sql("UPDATE woo.wc_order_items SET qty = 5, line_total = 25 WHERE order_item_id = 100")
    holder = Holder(woo.db, "LOCK TABLE feed.affinity_outbox IN SHARE ROW EXCLUSIVE MODE")
    process = subprocess.Popen(
        [woo.program, "source", "sync", "--once", *map(str, woo.arguments)],
        env=environment(woo.ours), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: woo.ours.number("SELECT count(*) FROM affinity.order_outbox") == 1, "our commit")
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    holder.release()
    small_fold.fold(woo.ours)
    assert woo.db.number("SELECT count(*) FROM feed.affinity_outbox") > 0
    wait_for(lambda: woo.ctl("sync", "--once", check=False).returncode == 0, "the lock of the dead session")
    assert woo.db.number("SELECT count(*) FROM feed.affinity_outbox") == 0
    assert woo.ours.number("SELECT count(*) FROM affinity.order_outbox") == 0
    assert woo.ours.sql(small_fold.COUNTED) == woo.ours.sql(small_fold.TRUE)


def test_a_random_shop_with_several_writers_is_copied_exactly(woo):
    """Random statements in random transactions, some of which are late or rolled back, beside a sync without pause."""
    woo.sync()
    process = subprocess.Popen(
        [woo.program, "source", "sync", "--set", "source.poll_ms=50", *map(str, woo.arguments)],
        env=environment(woo.ours), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8",
    )
    sessions = [
        subprocess.Popen(["psql", woo.db.url, "-Xq"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, encoding="utf-8", env=environment())
        for _ in range(4)
    ]
    rng = random.Random(5)
    for number, session in enumerate(sessions):
        script = []
        for round in range(40):
            script.append("BEGIN;")
            for _ in range(rng.randrange(1, 4)):
                order, item = rng.randrange(50, 80), rng.randrange(4)
                script.append(
                    rng.choice(
                        [
                            f"INSERT INTO woo.wc_orders VALUES ({order}, 'shop_order', 'wc-completed', 0, {rng.randrange(4)}, '2025-03-{rng.randrange(1, 28)}', now()) ON CONFLICT (id) DO UPDATE SET status = '{rng.choice(['wc-completed', 'wc-cancelled'])}';",
                            f"INSERT INTO woo.wc_order_items VALUES ({order * 10 + item}, {order}, {rng.randrange(1, 4)}, 1, 5) ON CONFLICT (order_item_id) DO UPDATE SET qty = {rng.randrange(1, 4)}, line_total = {rng.randrange(4, 40)};",
                            f"DELETE FROM woo.wc_order_items WHERE order_item_id = {order * 10 + item};",
                        ]
                    )
                )
            if rng.random() < 0.3:
                script.append(f"SELECT pg_sleep({rng.random() / 5});")
            script.append("ROLLBACK;" if rng.random() < 0.1 else "COMMIT;")
        session.stdin.write("\n".join(script) + "\n")
        session.stdin.flush()
    for session in sessions:
        session.communicate(timeout=120)
    wait_for(lambda: woo.db.number("SELECT count(*) FROM feed.affinity_outbox") == 0, "an empty outbox")
    process.send_signal(signal.SIGTERM)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 0, errors
    theirs = woo.db.sql(
        "SELECT order_id, coalesce(customer_id::text, '-'), product_id, quantity, unit_price * 100 FROM feed.orders JOIN feed.lines USING (order_id)"
        " WHERE quantity <> 0"
    )
    assert sorted(line[:4] + (line[5],) for line in woo.lines()) == sorted(row[:4] + (str(int(float(row[4]))),) for row in theirs)
    assert "0 new, 0 changed" in woo.sync("--full")


ODOO = """
    INSERT INTO odoo.res_country VALUES (1, 'DE');
    INSERT INTO odoo.res_partner (id, name, country_id, is_company) VALUES (7, 'Ann', 1, false), (8, 'Bob Ltd', NULL, true);
    INSERT INTO odoo.product_category VALUES (1, 'Kitchen / Tea');
    INSERT INTO odoo.product_template (id, name, categ_id, list_price) VALUES (1, '{"en_US": "Tea"}', 1, 5), (2, '{"en_US": "Pot"}', NULL, 35);
    INSERT INTO odoo.product_product VALUES (1, 1, 'T-1', 2.5), (2, 2, NULL, NULL);
    INSERT INTO odoo.sale_order VALUES (1, 'sale', 7, '2025-01-01 10:00', '2025-01-01 10:00'), (2, 'draft', 8, '2025-01-02', '2025-01-02'), (3, 'done', 7, '2025-01-03', '2025-01-03');
    INSERT INTO odoo.sale_order_line (id, order_id, product_id, product_uom_qty, price_unit, discount, write_date) VALUES
        (1, 1, 1, 3.00, 5, 0, '2025-01-01'), (2, 1, 2, 1, 40, 12.5, '2025-01-01'), (3, 2, 1, 1, 5, 0, '2025-01-01'), (4, 3, 1, 1, 5, 0, '2025-01-01'), (5, 3, NULL, 1, 3, 0, '2025-01-01');
"""


def test_inserts_edits_credit_notes_and_late_commits_of_an_odoo_like_shop_arrive_by_polling(make_shop):
    odoo = make_shop("Odoo-like")
    odoo.db.sql(ODOO)
    # The draft has no lines that count.
    assert "orders: 2 new, 0 changed, 1 unchanged, 0 deleted; products: 2 written; customers: 2 written" in odoo.sync()
    assert odoo.lines() == [
        ("S1", "7", "1", "3", "0", "500", "f"),
        ("S1", "7", "2", "1", "0", "3500", "t"),
        ("S3", "7", "1", "1", "0", "500", "f"),
    ]
    assert odoo.ours.sql("SELECT id, name, category, price, cost, attributes FROM affinity.product ORDER BY id") == [
        ("1", "Tea", "Kitchen > Tea", "500", "250", '{"sku": "T-1"}'),
        ("2", "Pot", "", "3500", "", '{"sku": null}'),
    ]
    assert odoo.ours.sql("SELECT id, country, segment FROM affinity.customer ORDER BY id") == [("7", "DE", "private"), ("8", "", "business")]
    # A line edited, a draft confirmed, two units of tea come back: one of the newest purchase, one of the one before.
    odoo.db.sql("UPDATE odoo.sale_order_line SET product_uom_qty = 2, write_date = now() WHERE id = 2")
    odoo.db.sql("UPDATE odoo.sale_order SET state = 'sale', write_date = now() WHERE id = 2")
    odoo.db.sql("INSERT INTO odoo.account_move (id, move_type, state, partner_id, invoice_date) VALUES (9, 'out_refund', 'posted', 7, '2025-01-05'); INSERT INTO odoo.account_move_line VALUES (1, 9, 1, 2, 5)")
    assert "orders: 2 new, 1 changed, " in odoo.sync()
    assert odoo.lines() == [
        ("R9", "7", "1", "-2", "0", "500", "f"),
        ("S1", "7", "1", "3", "1", "500", "f"),
        ("S1", "7", "2", "2", "0", "3500", "t"),
        ("S2", "8", "1", "1", "0", "500", "f"),
        ("S3", "7", "1", "1", "1", "500", "f"),
    ]
    # A transaction that began earlier and commits later: its time is before the watermark, but within the overlap.
    late = Holder(odoo.db, "INSERT INTO odoo.sale_order (id, state, partner_id, date_order) VALUES (4, 'sale', 8, '2025-01-04'); INSERT INTO odoo.sale_order_line (id, order_id, product_id, product_uom_qty, price_unit) VALUES (6, 4, 2, 1, 35)")
    time.sleep(0.05)
    odoo.db.sql("UPDATE odoo.sale_order SET date_order = '2025-01-06', write_date = now() WHERE id = 2")
    assert "orders: 0 new, 1 changed, " in odoo.sync()
    late.session.stdin.write("COMMIT;\n")
    late.release()
    assert "orders: 1 new, 0 changed, " in odoo.sync()
    # The credit note taken back gives its units back; a row that is deleted is found by the sweep.
    odoo.db.sql("DELETE FROM odoo.sale_order WHERE id = 4; UPDATE odoo.account_move SET state = 'cancel', write_date = now() WHERE id = 9")
    assert ", 1 deleted" in odoo.sync()
    assert ", 1 deleted" in odoo.sync("--full")
    assert [(line[0], line[2], line[4]) for line in odoo.lines()] == [("S1", "1", "0"), ("S1", "2", "0"), ("S2", "1", "0"), ("S3", "1", "0")]


def test_a_poll_goes_on_by_itself_and_looks_at_nothing_twice(make_shop):
    odoo = make_shop("Odoo-like")
    odoo.db.sql(ODOO)
    process = subprocess.Popen(
        [odoo.program, "source", "sync", "--config", str(odoo.config), "--set", "source.poll_ms=50"],
        env=environment(odoo.ours), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8",
    )
    wait_for(lambda: len(odoo.lines()) == 3, "the first sweep")
    for number in range(3):
        odoo.db.sql(f"UPDATE odoo.sale_order_line SET product_uom_qty = {number + 4}, write_date = clock_timestamp() WHERE id = 1")
        wait_for(lambda: odoo.lines()[0][3] == str(number + 4), "the edit")
    second = odoo.ctl("sync", "--once", check=False)
    assert second.returncode == 4 and "another program fills store 'main'" in second.stderr
    process.send_signal(signal.SIGINT)
    out = process.communicate(timeout=30)[0]
    assert process.returncode == 0
    reports = [line for line in out.splitlines() if line.startswith("orders: ")]
    assert len(reports) == 4 and reports[0].startswith("orders: 2 new, ")
    assert all(report.startswith("orders: 0 new, 1 changed, ") for report in reports[1:])
    assert "0 unchanged" in reports[2] and "0 unchanged" in reports[3]


@pytest.mark.parametrize(
    "settings, says",
    [
        ({"source.orders": "feed.nothing"}, 'source.orders: relation "feed.nothing" does not exist'),
        ({"source.orders": "SELECT 1 AS order_id"}, "source.orders: column ordered_at is missing"),
        ({"source.orders": "SELECT 1 AS order_id, now()::timestamp AS ordered_at"}, "column ordered_at is of type timestamp without time zone; say which time zone"),
        ({"source.lines": "SELECT 1 AS order_id, 1 AS product_id, 1 AS quantity, 1.5::float8 AS unit_price"}, "column unit_price is of type double precision; a floating-point number is not exact"),
        ({"source.lines": ""}, "source.orders and source.lines go together"),
        ({"source.changes": "poll", "source.products": "SELECT 1 AS product_id"}, "source.products: column updated_at is missing"),
        ({"source.outbox": "feed.other"}, "source.outbox: there is no table feed.other"),
        ({"source.lines": "SELECT order_id, product_id, quantity / 0 AS quantity, unit_price FROM feed.lines"}, "source.lines: rows cannot be read: division by zero"),
    ],
)
def test_check_says_what_is_wrong(woo, settings, says):
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    result = woo.ctl("check", *words, check=False)
    assert result.returncode == 78
    assert any(line.startswith("WRONG") and says in line for line in result.stdout.splitlines()), result.stdout


def test_a_role_without_rights_and_a_wrong_trigger_list_are_named(woo):
    woo.db.sql("REVOKE DELETE ON feed.affinity_outbox FROM reader; REVOKE SELECT ON feed.lines FROM reader")
    result = woo.ctl("check", check=False)
    assert "this role may not SELECT and DELETE in feed.affinity_outbox" in result.stdout
    assert "source.lines: permission denied for view lines" in result.stdout
    wrong = woo.ctl("sql", "--trigger", "--set", "source.triggers=orders:woo.wc_orders", check=False)
    assert wrong.returncode == 2 and "is not WHAT:TABLE:COLUMN" in wrong.stderr
    assert woo.ctl("sync", "--once", check=False).returncode == 78


def test_the_service_reads_the_shop_by_itself_and_only_one_instance_does(woo, service):
    words = dict(line.split(" = ", 1) for line in woo.config.read_text().splitlines() if " = " in line)
    config = {f"source_{name}": value for name, value in words.items()} | {"source_url": woo.url, "source_poll_ms": 50}
    first = service(woo.ours, wait="live", **config)
    wait_for(lambda: len(woo.lines()) == 3, "the first sweep")
    second = service(woo.ours, wait="live", **config)
    woo.db.sql("UPDATE woo.wc_orders SET status = 'wc-processing' WHERE id = 12")
    wait_for(lambda: len(woo.lines()) == 4, "the paid order")
    metrics = first.get("/metrics").text
    assert "affinity_source_up 1" in metrics and "affinity_source_orders_total 3" in metrics
    assert "affinity_source_up" not in second.get("/metrics").text
    # What goes wrong is said once, and counted; the reader comes back by itself.
    woo.db.sql("ALTER VIEW feed.lines RENAME TO gone")
    woo.db.sql("UPDATE woo.wc_orders SET status = 'wc-completed' WHERE id = 12")
    wait_for(lambda: "affinity_source_up 0" in first.get("/metrics").text, "the failure")
    woo.db.sql("ALTER VIEW feed.gone RENAME TO lines")
    wait_for(lambda: any("affinity_source_up 1" in one.get("/metrics").text for one in (first, second)), "recovery")
    # The one ends, the other goes on.
    first.stop()
    woo.db.sql("UPDATE woo.wc_orders SET status = 'wc-cancelled' WHERE id = 12")
    wait_for(lambda: len(woo.lines()) == 3, "the cancelled order")
