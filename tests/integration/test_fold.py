# SPDX-License-Identifier: Apache-2.0
"""Folding changed orders into the learned tables, by command and by the service."""

import time

import pytest

from import_files import random_orders, text_of

TABLES = ["product_stat", "product_month", "pair_together", "pair_next", "next_stat", "customer_history", "neighbour"]


def counts(database):
    """All learned tables as text, rows in order."""
    return {table: database.sql(f"SELECT t::text FROM affinity.{table} t ORDER BY 1") for table in TABLES}


def write(ctl, database, rows, tmp_path, name="orders.csv"):
    path = tmp_path / name
    path.write_text(text_of(rows), encoding="utf-8")
    ctl("import", "orders", str(path), "--currency", "EUR", "--quiet", database=database)


@pytest.fixture
def shop(ctl, database, tmp_path):
    """A store with 300 orders, counted by a rebuild."""
    write(ctl, database, random_orders(300, 1), tmp_path)
    ctl("rebuild", "--quiet", "--set", "learn.method=cosine", database=database)
    return database


def learn(ctl, database, *arguments, check=True):
    return ctl("learn", "--once", "--quiet", "--set", "learn.method=cosine", *arguments, database=database, check=check)


def verify(ctl, database, *arguments):
    return ctl(
        "verify", "--quiet", "--set", "learn.method=cosine", *arguments, database=database, check=False
    )


def change(rows, seed):
    """New orders, and every seventh of the old ones with a line more."""
    changed = sorted({row[0] for row in rows})[::7]
    lines = [row for row in rows if row[0] in changed]
    extra = [(order, customer, at, "P3", 2, "1.50") for order, customer, at, *_ in {r[0]: r for r in lines}.values()]
    fresh = [(f"N{seed}-{row[0]}",) + row[1:] for row in random_orders(60, seed)]
    return lines + extra + fresh


def wait_until(happened, what, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if happened():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def test_folding_what_an_import_changed_gives_the_tables_of_a_rebuild(ctl, shop, tmp_path):
    write(ctl, shop, change(random_orders(300, 1), 2), tmp_path)
    assert shop.number("SELECT count(*) FROM affinity.order_outbox") > 60
    learn(ctl, shop, "--sweep")
    folded = counts(shop)
    assert shop.number("SELECT count(*) FROM affinity.order_outbox") == 0
    assert verify(ctl, shop, "--sweep").returncode == 0
    # A rebuild takes the newest order for the landmark: with the landmark of the folds it gives the same tables.
    landmark = shop.sql("SELECT landmark FROM affinity.state")
    ctl("rebuild", "--quiet", "--set", "learn.method=cosine", database=shop)
    if shop.sql("SELECT landmark FROM affinity.state") == landmark:
        assert counts(shop) == folded


def test_counts_of_queued_orders_are_verified_with_their_old_content(ctl, shop, tmp_path):
    write(ctl, shop, change(random_orders(300, 1), 3), tmp_path)
    before = verify(ctl, shop)
    assert before.returncode == 0, before.stdout
    learn(ctl, shop)
    assert verify(ctl, shop).returncode == 0


def test_a_wrong_count_is_found_and_named(ctl, shop):
    shop.sql("UPDATE affinity.pair_together SET weight = weight + 1 WHERE (a, b) = "
             "(SELECT a, b FROM affinity.pair_together ORDER BY a, b OFFSET 5 LIMIT 1)")
    found = verify(ctl, shop)
    assert found.returncode == 1
    assert "pair_together: 1 rows differ; the first is product 'P" in found.stdout
    assert "weight is" in found.stdout and "affinityctl rebuild" in found.stdout


def delete_order(database):
    """Deletes one order as a writer does: its content goes into the queue."""
    database.sql(
        """
        CREATE TEMPORARY TABLE gone AS SELECT store, order_key FROM affinity.order_line
            WHERE quantity > returned ORDER BY 1, 2 LIMIT 1;
        INSERT INTO affinity.order_outbox (store, order_key, customer, ordered_at, products, units, unit_prices,
            unit_costs, discounted)
            SELECT l.store, l.order_key, min(customer), min(ordered_at), array_agg(product),
                array_agg(quantity - returned), array_agg(unit_price), array_agg(unit_cost), array_agg(discounted)
            FROM affinity.order_line l JOIN gone USING (store, order_key) WHERE quantity > returned GROUP BY 1, 2;
        DELETE FROM affinity.order_line l USING gone g WHERE l.store = g.store AND l.order_key = g.order_key;
        DELETE FROM affinity.orders o USING gone g WHERE o.store = g.store AND o.order_key = g.order_key;
        """
    )


def test_a_deleted_order_is_taken_back(ctl, shop):
    delete_order(shop)
    learn(ctl, shop)
    assert verify(ctl, shop).returncode == 0


def test_taking_back_what_was_not_counted_changes_nothing(ctl, shop):
    shop.sql("UPDATE affinity.product_stat SET orders = 0")
    delete_order(shop)
    before = counts(shop)
    refused = learn(ctl, shop, check=False)
    assert refused.returncode == 1 and "affinityctl rebuild" in refused.stderr
    assert counts(shop) == before
    assert shop.number("SELECT count(*) FROM affinity.order_outbox WHERE NOT folded") == 1
    ctl("rebuild", "--quiet", "--set", "learn.method=cosine", database=shop)
    assert verify(ctl, shop).returncode == 0


def test_a_store_that_was_never_counted_is_not_folded(ctl, database, tmp_path):
    write(ctl, database, random_orders(50, 5), tmp_path)
    refused = learn(ctl, database, check=False)
    assert refused.returncode == 1 and "run 'affinityctl rebuild" in refused.stderr


def test_the_service_folds_publishes_and_says_so(ctl, shop, service, tmp_path):
    one = service(shop, learn_method="cosine")
    version = shop.number("SELECT version FROM affinity.state")
    write(ctl, shop, change(random_orders(300, 1), 6), tmp_path)
    wait_until(lambda: shop.number("SELECT count(*) FROM affinity.order_outbox") == 0, "the fold")
    wait_until(
        lambda: shop.number("SELECT published FROM affinity.state WHERE published = version") > version, "publishing"
    )
    metrics = one.get("/metrics").text
    assert 'affinity_learner_leads{store="main"} 1' in metrics
    assert 'affinity_learner_queue{store="main"} 0' in metrics
    assert verify(ctl, shop).returncode == 0
    refused = learn(ctl, shop, check=False)
    assert refused.returncode == 4 and "another session leads" in refused.stderr


def test_the_service_counts_a_new_store_by_itself(ctl, database, service, tmp_path):
    write(ctl, database, random_orders(200, 7), tmp_path)
    service(database, wait="live", learn_method="cosine")
    wait_until(lambda: database.number("SELECT generation FROM affinity.state") == 1, "the rebuild", 30)
    wait_until(lambda: database.number("SELECT count(*) FROM affinity.order_outbox") == 0, "the fold")
    assert verify(ctl, database).returncode == 0


def test_a_rebuild_that_was_killed_leaves_nothing_behind(ctl, shop, tmp_path):
    shop.sql("UPDATE affinity.state SET rebuilding = true")
    write(ctl, shop, change(random_orders(300, 1), 8), tmp_path)
    learn(ctl, shop)
    assert shop.sql("SELECT rebuilding FROM affinity.state") == [("f",)]
    assert shop.number("SELECT count(*) FROM affinity.order_outbox") == 0
    assert verify(ctl, shop).returncode == 0
