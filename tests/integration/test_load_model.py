# SPDX-License-Identifier: Apache-2.0
"""What the loader makes of rows that break their contract, and of stores of unusual shape."""
import json
import subprocess
import time

import pytest

import tiny_store


@pytest.fixture
def store(database):
    database.sql(tiny_store.SQL)
    return database


def fails_with(ctl, database, *texts):
    result = ctl("recommend", "--cart", "tea", database=database, check=False)
    assert result.returncode == 1
    assert result.stdout == "" and result.stderr.count("\n") == 1
    for text in texts:
        assert text in result.stderr


@pytest.mark.parametrize("column", ["scores", "orders", "weights", "revenues", "margins", "discounted"])
def test_neighbour_arrays_of_different_length_are_refused(ctl, store, column):
    store.sql(f"UPDATE affinity.neighbour SET {column} = {column}[1:1] WHERE relation = 1 AND product = 2")
    fails_with(ctl, store, "affinity.neighbour", "relation 1, product 2", "differ in length")


def test_gaps_of_another_length_are_refused(ctl, store):
    store.sql("UPDATE affinity.neighbour SET gap_days = '{1,2}' WHERE relation = 2")
    fails_with(ctl, store, "relation 2, product 1", "differ in length")


def test_arrays_with_nulls_are_refused(ctl, store):
    store.sql("UPDATE affinity.neighbour SET scores = '{1,null}' WHERE relation = 1 AND product = 2")
    fails_with(ctl, store, "relation 1, product 2", "differ in length")


def test_an_unknown_neighbour_is_refused(ctl, store):
    store.sql("UPDATE affinity.neighbour SET others = '{1,77}' WHERE relation = 1 AND product = 2")
    fails_with(ctl, store, "relation 1, product 2", "neighbour 77 is not in affinity.product")


def test_a_row_of_an_unknown_product_is_refused(ctl, store):
    store.sql("UPDATE affinity.neighbour SET product = 77 WHERE relation = 1 AND product = 2")
    fails_with(ctl, store, "relation 1, product 77", "not in affinity.product")


@pytest.mark.parametrize("scores, why", [("{0.1,0.2}", "best first"), ("{NaN,0}", "finite"), ("{Infinity,0}", "finite")])
def test_scores_out_of_order_or_not_finite_are_refused(ctl, store, scores, why):
    store.sql(f"UPDATE affinity.neighbour SET scores = '{scores}' WHERE relation = 1 AND product = 2")
    fails_with(ctl, store, "relation 1, product 2", why)


def test_an_unknown_relation_is_refused(ctl, store):
    store.sql("UPDATE affinity.neighbour SET relation = 9, gap_days = '{}' WHERE relation = 2")
    fails_with(ctl, store, "relation 9", "no such relation")


@pytest.mark.parametrize("column", ["counts", "first_at", "last_at_of"])
def test_history_arrays_of_different_length_are_refused(ctl, store, column):
    store.sql(f"UPDATE affinity.customer_history SET {column} = {column}[1:1]")
    fails_with(ctl, store, "affinity.customer_history", "customer 1", "differ in length")


def test_history_of_an_unknown_product_is_refused(ctl, store):
    store.sql("UPDATE affinity.customer_history SET products = '{4,77}'")
    fails_with(ctl, store, "customer 1", "product 77 is not in affinity.product")


def test_history_out_of_order_is_refused(ctl, store):
    store.sql("UPDATE affinity.customer_history SET last_at_of = '{2026-01-01T00:00:00Z,2026-06-01T00:00:00Z}'")
    fails_with(ctl, store, "customer 1", "most recently bought first")


def test_what_would_not_fit_is_refused_before_loading(ctl, store):
    # 20 MB of names against a limit of 16 MB.
    store.sql(
        "INSERT INTO affinity.product (store, product, id, name)"
        " SELECT 1, g, 'p' || g, repeat('x', 1000) FROM generate_series(100, 20100) g"
    )
    result = ctl("recommend", "--cart", "tea", "--set", "memory.limit_mb=16", database=store, check=False)
    assert result.returncode == 1
    assert "memory.limit_mb" in result.stderr and "16 MB" in result.stderr
    assert ctl("recommend", "--cart", "tea", database=store).returncode == 0


def test_a_store_that_was_never_learned_answers_without_affinity(ctl, database):
    database.sql(
        "INSERT INTO affinity.store (store, name, currency) VALUES (1, 'main', 'EUR');"
        + tiny_store.partitions(1)
        + "INSERT INTO affinity.product (store, product, id, price) VALUES (1, 1, 'tea', 100), (1, 2, 'pot', 200)"
    )
    answer = json.loads(ctl("recommend", "--json", "--cart", "tea", database=database).stdout)
    assert answer["index"] == {"version": 0, "built_at": None}


def test_attributes_of_any_shape_load(ctl, store):
    store.sql(
        """UPDATE affinity.product SET attributes = '{"a": {"b": [1, 2]}, "c": 5, "d": "é\\u0001", "e": ""}'
           WHERE product = 2;
           UPDATE affinity.product SET attributes = '[1, 2]' WHERE product = 3;
           UPDATE affinity.product SET attributes = '{"only": null}' WHERE product = 4"""
    )
    assert ctl("recommend", "--cart", "tea", database=store).returncode == 0


def test_another_store_of_the_same_database_is_not_mixed_in(ctl, store):
    store.sql(
        "INSERT INTO affinity.store (store, name, currency) VALUES (2, 'other', 'GBP');"
        + tiny_store.partitions(2)
        + "INSERT INTO affinity.product (store, product, id, price) VALUES (2, 1, 'tea', 100), (2, 9, 'biscuit', 100);"
        + tiny_store.neighbour(1, 1, [9], [1], [3], store=2)
    )
    main = json.loads(ctl("recommend", "--json", "--cart", "tea", "--strict", database=store).stdout)
    other = json.loads(
        ctl("recommend", "--json", "--cart", "tea", "--strict", "--store", "other", database=store).stdout
    )
    assert [item["product"] for item in main["items"]] == ["pot", "cup"]
    assert [item["product"] for item in other["items"]] == ["biscuit"]
    assert other["currency"] == "GBP"


def test_a_load_waits_for_tables_that_are_being_replaced(ctl, store):
    # A snapshot older than the swap would see the new tables as empty, and answer nothing at all.
    swap = (
        "BEGIN;"
        "LOCK TABLE ONLY affinity.neighbour, ONLY affinity.neighbour_s1 IN ACCESS EXCLUSIVE MODE;"
        "CREATE TABLE affinity.neighbour_s1_next (LIKE affinity.neighbour INCLUDING ALL);"
        "INSERT INTO affinity.neighbour_s1_next SELECT * FROM affinity.neighbour_s1 WHERE product <> 1;"
        + tiny_store.neighbour(1, 1, [5], [1], [9]).replace("affinity.neighbour ", "affinity.neighbour_s1_next ")
        + "DROP TABLE affinity.neighbour_s1;"
        "ALTER TABLE affinity.neighbour_s1_next RENAME TO neighbour_s1;"
        "ALTER TABLE affinity.neighbour ATTACH PARTITION affinity.neighbour_s1 FOR VALUES IN (1);"
        "UPDATE affinity.state SET published = 4;"
        "SELECT 'swapped'; SELECT pg_sleep(2); COMMIT;"
    )
    with subprocess.Popen(
        ["psql", store.url, "-XqAt", "-v", "ON_ERROR_STOP=1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as swapper:
        swapper.stdin.write(swap.replace(";", ";\n"))
        swapper.stdin.flush()
        assert swapper.stdout.readline() == "swapped\n"
        started = time.monotonic()
        answer = json.loads(ctl("recommend", "--json", "--cart", "tea", "--strict", database=store).stdout)
        waited = time.monotonic() - started
        swapper.communicate(timeout=30)
        assert swapper.returncode == 0
    assert [item["product"] for item in answer["items"]] == ["soap"]
    assert answer["index"]["version"] == 4
    assert waited > 1
