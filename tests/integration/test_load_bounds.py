# SPDX-License-Identifier: Apache-2.0
"""Memory before a load is estimated as it then is, sessions and baskets keep to their bounds, and sessions give way first."""
import re
import subprocess

import pytest

import tiny_store

MANY = 10**9


@pytest.fixture
def load(build):
    def run(database, limit=0, sessions=MANY, holders=500, lines=MANY):
        program = build / "tests" / "load_bounds_driver"
        said = subprocess.run(
            [program, database.url, *map(str, (limit, sessions, holders, lines))], capture_output=True, text=True, check=True
        ).stdout
        assert not said.startswith("failed"), said
        return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", said)}

    return run


def generated(ctl, database, tmp_path, *arguments):
    folder = tmp_path / "shop"
    ctl("generate", "--quiet", "--out", folder, *arguments)
    for what, file in (("products", "products"), ("customers", "customers"), ("orders", "order_lines")):
        ctl("import", what, "--quiet", "--import-config", folder / "import.conf", folder / f"{file}.csv", database=database)
    ctl("rebuild", "--quiet", database=database)


def many_products(ctl, database, tmp_path):
    database.sql(tiny_store.SQL)
    database.sql(
        "INSERT INTO affinity.product (store, product, id, name, category, brand, attributes)"
        " SELECT 1, g, 'p' || g, repeat('é', g % 60), 'C' || g % 700, 'B' || g % 9,"
        """ CASE g % 3 WHEN 0 THEN '{}' ELSE jsonb_build_object('colour', repeat('r', g % 40), 'n', g, 'gone', null) END"""
        " FROM generate_series(100, 20100) g"
    )


def many_customers(ctl, database, tmp_path):
    database.sql(tiny_store.SQL)
    database.sql(
        "INSERT INTO affinity.customer (store, customer, id) SELECT 1, g, 'c' || g FROM generate_series(100, 30100) g;"
        "INSERT INTO affinity.customer_history (store, customer, orders, last_at, products, counts, first_at, last_at_of)"
        " SELECT 1, g, 2, '2025-01-01', '{1,4}', '{1,1}', array_fill('2025-01-01'::timestamptz, '{2}'),"
        " array_fill('2025-01-01'::timestamptz, '{2}') FROM generate_series(100, 30100, 3) g"
    )


SHAPES = {
    "tiny": lambda ctl, database, tmp_path: database.sql(tiny_store.SQL),
    "products": many_products,
    "customers": many_customers,
    "shop": lambda ctl, database, tmp_path: generated(ctl, database, tmp_path, "--lines", "20000"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_estimate_is_what_the_model_takes(ctl, database, tmp_path, load, shape):
    SHAPES[shape](ctl, database, tmp_path)
    sizes = load(database)
    assert sizes["base"] <= sizes["estimate"] <= 1.15 * sizes["base"]


@pytest.fixture
def shop(ctl, database, tmp_path):
    """Orders and 3,000 sessions, a minute apart."""
    generated(ctl, database, tmp_path, "--lines", "5000")
    file = tmp_path / "sessions.csv"
    views = [(s, (s * 7 + v * (1 + s % 3)) % 200, 1600000000 + 60 * s + v) for s in range(3000) for v in range(6)]
    file.write_text("session_id,item_id,ts\n" + "".join(f"s{s},v{p},{t}\n" for s, p, t in views))
    ctl("import", "sessions", "--quiet", file, database=database)
    return database


def test_each_source_keeps_to_its_bound_and_0_switches_it_off(load, shop):
    whole = load(shop)
    assert whole["kept"] == 3000 and min(whole[name] for name in ("alike", "viewed", "added", "recent")) > 0
    fewer = load(shop, sessions=20)
    assert fewer["kept"] == 20 and fewer["left_out"] == 0 and 0 < fewer["alike"] < whole["alike"] / 2
    assert 0 < load(shop, holders=1)["alike"] < whole["alike"] / 2
    assert [load(shop, sessions=0)[name] for name in ("alike", "viewed")] == [0, 0]
    assert [load(shop, holders=0)[name] for name in ("alike", "viewed")] == [0, whole["viewed"]]
    without = load(shop, lines=0)
    assert [without[name] for name in ("added", "recent", "kept")] == [0, 0, 3000]


def test_sessions_give_way_first_then_baskets(load, shop):
    whole = load(shop)
    missing = whole["alike"] // 2
    cut = load(shop, limit=whole["all"] - missing)
    assert cut["all"] <= whole["all"] - missing and 0 < cut["kept"] < 3000
    assert cut["left_out"] == 3000 - cut["kept"] and not cut["baskets_left_out"] and cut["added"] == whole["added"]
    assert cut["all"] > whole["all"] - 2 * missing  # and not more of them than that takes
    none = load(shop, limit=whole["estimate"] + whole["added"] + whole["recent"] + 1000)
    assert none["kept"] < 100 and none["added"] == whole["added"]
    least = load(shop, limit=whole["estimate"] + 1000)
    assert least["kept"] == 0 and least["baskets_left_out"] and least["added"] == least["recent"] == 0
    assert least["all"] <= whole["estimate"] + 1000


def test_the_service_says_once_what_found_no_room(service, ctl, database):
    ctl("migrate", "up", database=database)
    database.sql(tiny_store.SQL)
    database.sql(  # more than the least limit of 16 MB
        "INSERT INTO affinity.session (store, session_key, at, products)"
        " SELECT 1, g, '2025-01-01'::timestamptz + g * interval '1 second', array_fill(1 + g % 6, '{100}')"
        " FROM generate_series(1, 50000) g"
    )
    one = service(database, memory_limit_mb=16)
    said = [line for line in one.log().splitlines() if "sessions_left_out" in line]
    assert len(said) == 1 and "memory.limit_mb" in said[0]
    metrics = one.get("/metrics").text
    parts = dict(re.findall(r'^affinity_index_part_memory_bytes\{store="main",part="(\w+)"\} (\S+)', metrics, re.M))
    assert 0 < float(parts["alike"]) < 16 * 2**20
