# SPDX-License-Identifier: Apache-2.0
"""A store comes into being with everything that belongs to it, once, whoever makes it."""
import subprocess

import pytest

import tiny_store

PRODUCTS = "product_id,name,price\ntea,Green tea,5.00\npot,Teapot,35.00\n"


@pytest.fixture
def products(tmp_path):
    path = tmp_path / "products.csv"
    path.write_text(PRODUCTS)
    return path


def partitions_of(database, store):
    rows = database.sql(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        f" WHERE c.relname LIKE '%\\_s{store}' ORDER BY 1"
    )
    return [row[0] for row in rows]


def test_a_new_store_has_its_state_and_all_partitions(ctl, database, products):
    ctl("import", "products", str(products), "--store", "corner", "--currency", "EUR", "--quiet", database=database)
    store = database.number("SELECT store FROM affinity.store WHERE name = 'corner'")
    assert partitions_of(database, store) == sorted(f"{table}_s{store}" for table in tiny_store.PARTITIONED)
    assert database.sql(f"SELECT version, published FROM affinity.state WHERE store = {store}") == [("0", "0")]


def test_missing_partitions_of_a_store_are_made_up(ctl, database, products):
    database.sql(tiny_store.SQL + "DROP TABLE affinity.pair_next_s1; DELETE FROM affinity.state")
    ctl("import", "products", str(products), "--quiet", database=database)
    assert partitions_of(database, 1) == sorted(f"{table}_s1" for table in tiny_store.PARTITIONED)
    assert database.number("SELECT count(*) FROM affinity.neighbour WHERE store = 1") == 4


def test_programs_that_make_one_store_at_once_make_it_once(build, database, products, tmp_path):
    programs = [
        subprocess.Popen(
            [build / "affinityctl", "import", "products", products, "--store", "corner", "--quiet"]
            + ["--database", database.url, "--rejects", tmp_path / f"rejects{number}.csv"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    outputs = [program.communicate(timeout=60) for program in programs]
    # Status 4 says that another import of the store runs; the store itself is whole in any case.
    assert {program.returncode for program in programs} <= {0, 4}, outputs
    assert 0 in {program.returncode for program in programs}, outputs
    assert database.number("SELECT count(*) FROM affinity.store") == 1
    store = database.number("SELECT store FROM affinity.store")
    assert partitions_of(database, store) == sorted(f"{table}_s{store}" for table in tiny_store.PARTITIONED)


def test_a_store_keeps_its_currency(ctl, database, products):
    database.sql(tiny_store.SQL)
    result = ctl("import", "products", str(products), "--currency", "GBP", "--quiet", database=database, check=False)
    assert result.returncode != 0
    assert "EUR" in result.stderr and "GBP" in result.stderr
    assert database.number("SELECT count(*) FROM affinity.product") == 7
