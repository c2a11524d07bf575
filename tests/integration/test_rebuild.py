# SPDX-License-Identifier: Apache-2.0
"""affinityctl rebuild: what it learns, against plain SQL; who may run; what a killed one leaves."""

import random
import signal
import subprocess
import time

import pytest

from support.programs import environment

TABLES = {
    "product_stat": "product",
    "product_month": "product",
    "pair_together": "a, b",
    "pair_next": "a, b",
    "next_stat": "product",
    "neighbour": "relation, product",
    "customer_history": "customer",
}

SHOP = """
    INSERT INTO affinity.store (store, name, currency) VALUES (1, 'main', 'EUR');
    INSERT INTO affinity.product (store, product, id, cost) VALUES
        (1, 1, 'tea', 200), (1, 2, 'pot', NULL), (1, 3, 'cup', 500), (1, 4, 'old', 1);
    INSERT INTO affinity.customer (store, customer, id) VALUES (1, 1, 'ann'), (1, 2, 'bob');
"""

LINE = (
    "INSERT INTO affinity.order_line (store, order_key, line, product, customer, ordered_at, quantity, returned,"
    " unit_price, unit_cost, discounted) VALUES "
)


def digests(database):
    """One digest a table, and what the state says, in one snapshot."""
    parts = ", ".join(
        f"(SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY {key}), '')) FROM affinity.{table} t)"
        for table, key in TABLES.items()
    )
    rows = database.sql(
        "BEGIN ISOLATION LEVEL REPEATABLE READ;"
        f"SELECT {parts}, s.half_life_s, s.orders, s.weight FROM affinity.state s WHERE store = 1;"
        "COMMIT"
    )
    return rows[0]


def leftovers(database):
    return database.sql("SELECT relname FROM pg_class WHERE relname LIKE '%\\_next%' AND relname ~ '_s[0-9]+_next'")


def start(build, database, *arguments):
    return subprocess.Popen(
        [build / "affinityctl", "rebuild", "--quiet", *arguments],
        env=environment(database),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def wait_for(question, what, timeout=60):
    until = time.monotonic() + timeout
    while not question():
        assert time.monotonic() < until, f"waited {timeout} s for {what}"
        time.sleep(0.05)


class Holder:
    """A session that holds a lock on a learned table, as a long report would."""

    def __init__(self, database, statement):
        self.session = subprocess.Popen(
            ["psql", database.url, "-XqAt"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", env=environment()
        )
        self.session.stdin.write(f"BEGIN; {statement}; SELECT 'held';\n")
        self.session.stdin.flush()
        while self.session.stdout.readline().strip() != "held":
            assert self.session.poll() is None

    def release(self):
        self.session.communicate()


@pytest.fixture
def demo(ctl, database, tmp_path):
    """A generated store of 20,000 lines, imported."""
    ctl("generate", "--out", tmp_path / "store", "--lines", "20000", "--quiet")
    for what, file in (("products", "products"), ("customers", "customers"), ("orders", "order_lines")):
        ctl("import", what, "--quiet", tmp_path / "store" / f"{file}.csv", database=database)
    return database


def test_small_shop_is_counted_as_by_hand(ctl, database):
    database.sql(
        SHOP
        + LINE
        + """
        -- ann, three orders; the second pot of the first was returned, the cup of the second wholly
        (1, 10, 1, 1, 1, '2025-01-01', 2, 0, 500, NULL, false),
        (1, 10, 2, 2, 1, '2025-01-01', 2, 1, 3000, 1000, true),
        (1, 11, 1, 1, 1, '2025-01-08', 1, 0, 500, 300, false),
        (1, 11, 2, 3, 1, '2025-01-08', 1, 1, 900, NULL, false),
        (1, 12, 1, 3, 1, '2025-01-22', 1, 0, 900, NULL, false),
        (1, 12, 2, 3, 1, '2025-01-22', 1, 0, 700, NULL, true),
        -- a return line counts nowhere
        (1, 13, 1, 2, 1, '2025-01-23', -1, 0, 3000, NULL, false),
        -- a guest
        (1, 14, 1, 1, NULL, '2025-01-22', 1, 0, 450, NULL, false),
        (1, 14, 2, 2, NULL, '2025-01-22', 1, 0, 3000, NULL, false),
        -- before the window of 100 days
        (1, 15, 1, 4, 2, '2024-06-01', 1, 0, 1, NULL, false)
        """
    )
    settings = ("learn.window_days=100", "learn.half_life_days=7", "learn.floors=none")
    ctl("rebuild", *(word for setting in settings for word in ("--set", setting)), database=database)
    # product, orders, revenue, margin, discounted; weight by hand: half-life 7 days, landmark 22 January
    assert database.sql(
        "SELECT product, orders, revenue, margin, discounted, weight, last_at::date, unit_cost FROM affinity.product_stat ORDER BY 1"
    ) == [
        ("1", "3", "1950", "1050", "0", str(92682 + 262144 + 741455), "2025-01-22", "200"),
        ("2", "2", "6000", "2000", "1", str(92682 + 741455), "2025-01-22", ""),
        ("3", "1", "1600", "600", "1", "1048576", "2025-01-22", "500"),
    ]
    assert database.sql(
        "SELECT a, b, orders, weight, revenue_a, revenue_b, margin_a, margin_b, discounted FROM affinity.pair_together"
    ) == [("1", "2", "2", str(92682 + 741455), "1450", "6000", "850", "2000", "1")]
    # first a, then b; a product that the first order held already is no news
    assert database.sql("SELECT a, b, orders, weight, gaps FROM affinity.pair_next ORDER BY 1, 2") == [
        ("1", "3", "1", "1048576", "\\x8f01")  # 14 days are 2^14.299 minutes
    ]
    # product, firsts, seconds, weight of the second baskets: ann's three orders are two consecutive ones
    assert database.sql("SELECT product, firsts, seconds, firsts_weight FROM affinity.next_stat ORDER BY 1") == [
        ("1", "2", "0", str(262144 + 1048576)),
        ("2", "1", "0", "262144"),
        ("3", "0", "1", "0"),
    ]
    assert database.sql(
        "SELECT customer, orders, last_at::date, products, counts, first_at::date[], last_at_of::date[] FROM affinity.customer_history"
    ) == [("1", "3", "2025-01-22", "{3,1,2}", "{1,2,1}", "{2025-01-22,2025-01-01,2025-01-01}", "{2025-01-22,2025-01-08,2025-01-01}")]
    assert database.sql(
        "SELECT relation, product, others, orders, revenues, gap_days::numeric(4,1)[] FROM affinity.neighbour ORDER BY 1, 2"
    ) == [
        ("1", "1", "{2}", "{2}", "{6000}", "{}"),
        ("1", "2", "{1}", "{2}", "{1450}", "{}"),
        ("2", "1", "{3}", "{1}", "{0}", "{13.5}"),
    ]
    assert database.sql(
        "SELECT orders, lines, next_orders, landmark::date, window_from::date, half_life_s, generation, published = version,"
        " settings->>'floors', counted_from::date FROM affinity.state"
    ) == [("4", "6", "2", "2025-01-22", "2025-01-01", "604800", "1", "t", "none", "2024-10-14")]


def test_listeners_are_told_which_store_was_published(ctl, database):
    database.sql(SHOP)
    listener = Holder(database, "COMMIT; LISTEN affinity_published")
    ctl("rebuild", "--quiet", database=database)
    printed, _ = listener.session.communicate("SELECT 1;\n")
    assert 'notification "affinity_published" with payload "1"' in printed


def test_store_without_orders_is_learned_empty(ctl, database):
    database.sql(SHOP)
    ctl("rebuild", database=database)
    assert database.number("SELECT published FROM affinity.state") == 1
    assert database.sql("SELECT landmark, window_from, orders FROM affinity.state") == [("", "", "0")]
    assert all(database.number(f"SELECT count(*) FROM affinity.{table}") == 0 for table in TABLES)


def test_unknown_store_and_wrong_arguments_are_named(ctl, database):
    result = ctl("rebuild", "--store", "elsewhere", database=database, check=False)
    assert result.returncode == 1 and "elsewhere" in result.stderr
    result = ctl("rebuild", "--method", "magic", database=database, check=False)
    assert result.returncode == 78 and "magic" in result.stderr
    assert ctl("rebuild", "--frobnicate", database=database, check=False).returncode == 2
    assert ctl("rebuild", "now", database=database, check=False).returncode == 2
    assert "--method" in ctl("rebuild", "--help").stdout


def test_amounts_that_cannot_be_added_up_are_refused_and_nothing_changes(ctl, database):
    database.sql(SHOP + LINE + "(1, 1, 1, 1, NULL, '2025-01-01', 1, 0, 500, NULL, false)")
    ctl("rebuild", "--quiet", database=database)
    before = digests(database)
    database.sql(LINE + "(1, 2, 1, 1, NULL, '2025-01-01', 2000000000, 0, 9000000000000000000, NULL, false)")
    result = ctl("rebuild", "--quiet", database=database, check=False)
    assert result.returncode == 1 and "order key 2" in result.stderr
    assert digests(database) == before and leftovers(database) == []


def test_real_shop_equals_plain_sql(ctl, database, data_dir):
    folder = data_dir / "online_retail"
    ctl("import", "orders", "--quiet", folder / "order_lines.csv.gz", database=database)
    # With a cap no basket is truncated, so that a plain self-join says the same.
    ctl("rebuild", "--quiet", "--set", "learn.basket_cap=65535", database=database)
    database.sql(
        """
        CREATE TABLE line AS
            SELECT order_key, product, min(customer) AS customer, min(ordered_at) AS at, bool_or(discounted) AS discounted,
                   sum((quantity - returned) * unit_price)::bigint AS revenue
            FROM affinity.order_line WHERE quantity > returned GROUP BY 1, 2;
        CREATE UNIQUE INDEX ON line (product, order_key);
        CREATE TABLE basket AS
            SELECT order_key, at, customer, round(2 ^ 20 * 2 ^ (extract(epoch FROM at - max(at) OVER ())::float8 / (120 * 86400))
                                      / sqrt(n))::bigint AS weight,
                   lead(order_key) OVER w AS next_key, lead(at) OVER w AS next_at
            FROM (SELECT order_key, min(at) AS at, min(customer) AS customer, count(*) AS n FROM line GROUP BY 1) o
            WINDOW w AS (PARTITION BY customer ORDER BY at, order_key);
        CREATE UNIQUE INDEX ON basket (order_key);
        ANALYZE line, basket;
        """
    )
    assert database.sql(
        "SELECT count(*), sum(weight), count(*) FILTER (WHERE customer IS NOT NULL AND next_at > at) FROM basket"
    ) == database.sql("SELECT orders, weight, next_orders FROM affinity.state")

    # Every product's own counts.
    assert database.sql(
        """
        SELECT count(*) FROM affinity.product_stat s FULL JOIN
            (SELECT product, count(*) AS orders, sum(weight) AS weight, sum(revenue) AS revenue, max(l.at) AS last_at
             FROM line l JOIN basket USING (order_key) GROUP BY 1) e USING (product)
        WHERE (s.orders, s.weight, s.revenue, s.last_at) IS DISTINCT FROM (e.orders, e.weight, e.revenue, e.last_at)
        """
    ) == [("0",)]

    # 1,000 random pairs of products, bought together or not.
    assert database.sql(
        """
        SELECT setseed(0.25);
        CREATE TABLE sample AS
            SELECT DISTINCT a, b FROM
                ((SELECT a, b FROM affinity.pair_together ORDER BY random() LIMIT 700)
                 UNION ALL
                 (SELECT least(p.product, q.product), greatest(p.product, q.product)
                  FROM (SELECT product, row_number() OVER (ORDER BY random()) AS i FROM affinity.product_stat) p
                  JOIN (SELECT product, row_number() OVER (ORDER BY random()) AS i FROM affinity.product_stat) q USING (i)
                  WHERE p.product <> q.product LIMIT 300)) s;
        CREATE TABLE expected AS
            SELECT s.a, s.b, count(x.order_key) AS orders, sum(o.weight) AS weight, sum(x.revenue) AS revenue_a,
                   sum(y.revenue) AS revenue_b, count(*) FILTER (WHERE x.discounted OR y.discounted) AS discounted,
                   (SELECT count(*) FROM line WHERE product = s.a) AS n_a, (SELECT count(*) FROM line WHERE product = s.b) AS n_b
            FROM sample s
            LEFT JOIN (line x JOIN line y USING (order_key) JOIN basket o USING (order_key)) ON x.product = s.a AND y.product = s.b
            GROUP BY 1, 2;
        SELECT count(*) >= 990, count(*) FILTER (WHERE e.orders > 0) >= 700,
               count(*) FILTER (WHERE coalesce(p.orders, 0) <> e.orders),
               count(*) FILTER (WHERE e.orders > 0 AND (p.weight, p.revenue_a, p.revenue_b, p.discounted)
                                IS DISTINCT FROM (e.weight, e.revenue_a, e.revenue_b, e.discounted)),
               count(*) FILTER (WHERE e.orders > 0 AND NOT abs(
                   (p.orders::float8 / sa.orders) / (e.orders::float8 / e.n_a) - 1) < 1e-9),
               count(*) FILTER (WHERE e.orders > 0 AND NOT abs(
                   (p.orders::float8 * t.orders / (sa.orders::float8 * sb.orders)) /
                   (e.orders::float8 * (SELECT count(*) FROM basket) / (e.n_a::float8 * e.n_b)) - 1) < 1e-9)
        FROM expected e LEFT JOIN affinity.pair_together p USING (a, b)
        JOIN affinity.product_stat sa ON sa.product = e.a JOIN affinity.product_stat sb ON sb.product = e.b, affinity.state t
        """
    )[-1] == ("t", "t", "0", "0", "0", "0")

    # 500 random ordered pairs of what is bought next.
    assert database.sql(
        """
        CREATE TABLE next_sample AS SELECT a, b, orders, weight FROM affinity.pair_next ORDER BY random() LIMIT 500;
        SELECT count(*) FROM next_sample s CROSS JOIN LATERAL
            (SELECT count(*) AS orders, sum(n.weight) AS weight
             FROM line x JOIN basket o USING (order_key) JOIN basket n ON n.order_key = o.next_key
             JOIN line y ON y.order_key = n.order_key
             WHERE x.product = s.a AND y.product = s.b AND o.customer IS NOT NULL AND n.at > o.at
               AND NOT EXISTS (SELECT FROM line z WHERE z.order_key = o.order_key AND z.product = s.b)) e
        WHERE (s.orders, s.weight) IS DISTINCT FROM (e.orders, e.weight)
        """
    ) == [("0",)]

    # Every customer's history.
    assert database.sql(
        """
        SELECT count(*) FROM affinity.customer_history h FULL JOIN
            (SELECT customer, array_agg(product ORDER BY last_at DESC, product) AS products,
                    array_agg(n ORDER BY last_at DESC, product) AS counts
             FROM (SELECT customer, product, max(at) AS last_at, count(*)::integer AS n FROM line WHERE customer IS NOT NULL GROUP BY 1, 2) p
             GROUP BY 1) e USING (customer)
        WHERE (h.products, h.counts) IS DISTINCT FROM (e.products[:1000], e.counts[:1000])
        """
    ) == [("0",)]


def test_rebuild_of_the_same_orders_gives_the_same_tables(ctl, demo):
    ctl("rebuild", "--quiet", database=demo)
    before = digests(demo)
    ctl("rebuild", "--quiet", "--set", "learn.threads=3", database=demo)
    assert digests(demo) == before
    assert demo.sql("SELECT version, published, generation FROM affinity.state") == [("2", "2", "2")]
    assert leftovers(demo) == []
    # What a partition's table must have to be replaced again, and found by its key.
    assert demo.number("SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind = 'r'") == len(TABLES)
    assert demo.number("SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relname ~ '_s1$' AND i.indisprimary") == len(TABLES)


def test_other_stores_are_left_alone(ctl, demo):
    ctl("rebuild", "--quiet", database=demo)
    before = digests(demo)
    oids = demo.sql("SELECT oid FROM pg_class WHERE relname ~ '_s1$' ORDER BY 1")
    demo.sql("INSERT INTO affinity.store (name, currency) VALUES ('outlet', 'EUR')")
    ctl("rebuild", "--quiet", "--store", "outlet", database=demo)
    assert digests(demo) == before
    assert demo.sql("SELECT oid FROM pg_class WHERE relname ~ '_s1$' ORDER BY 1") == oids
    assert demo.number("SELECT count(*) FROM affinity.state WHERE published = 1") == 2


def test_second_rebuild_names_the_first_and_readers_only_delay_the_swap(build, ctl, demo):
    ctl("rebuild", "--quiet", database=demo)
    holder = Holder(demo, "LOCK TABLE affinity.neighbour_s1 IN ACCESS SHARE MODE")
    first = start(build, demo)
    try:
        wait_for(lambda: demo.number("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0, "the swap")
        second = ctl("rebuild", "--quiet", database=demo, check=False)
        assert second.returncode == 4
        pid = demo.sql("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2")[0][0]
        assert "affinityctl rebuild" in second.stderr and f"process {pid}" in second.stderr
        assert first.poll() is None
    finally:
        holder.release()
    _, errors = first.communicate(timeout=60)
    assert first.returncode == 0, errors
    assert demo.number("SELECT generation FROM affinity.state") == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_rebuild_changes_nothing_and_cleans_up(build, ctl, demo, number):
    ctl("rebuild", "--quiet", database=demo)
    before = digests(demo)
    holder = Holder(demo, "LOCK TABLE affinity.product_stat_s1 IN ACCESS SHARE MODE")
    running = start(build, demo, "--set", "learn.half_life_days=90")
    try:
        wait_for(lambda: demo.number("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0, "the swap")
        running.send_signal(number)
        _, errors = running.communicate(timeout=60)
    finally:
        holder.release()
    assert running.returncode == 1 and "interrupted" in errors
    assert digests(demo) == before and leftovers(demo) == []


def test_lost_database_is_an_error_of_one_line(build, ctl, demo):
    ctl("rebuild", "--quiet", database=demo)
    before = digests(demo)
    holder = Holder(demo, "LOCK TABLE affinity.product_stat_s1 IN ACCESS SHARE MODE")
    running = start(build, demo, "--set", "learn.half_life_days=90")
    try:
        wait_for(lambda: demo.number("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0, "the swap")
        demo.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'affinityctl rebuild'"
        )
        _, errors = running.communicate(timeout=60)
    finally:
        holder.release()
    assert running.returncode == 1 and len(errors.strip().splitlines()) == 1, errors
    assert digests(demo) == before


def test_killed_rebuild_leaves_tables_as_before_or_as_after(build, ctl, demo):
    rng = random.Random(6)
    expected = {}
    for days in (90, 180):
        begun = time.monotonic()
        ctl("rebuild", "--quiet", "--set", f"learn.half_life_days={days}", database=demo)
        lasts = time.monotonic() - begun
        expected[days] = digests(demo)
    assert expected[90] != expected[180]
    now, seen = 180, {"before": 0, "after": 0}
    for _ in range(16):
        other = 270 - now
        running = start(build, demo, "--set", f"learn.half_life_days={other}")
        time.sleep(rng.uniform(0, 1.2 * lasts))
        running.kill()
        running.communicate()
        # The server may be in the middle of the swap's commit when its client dies.
        wait_for(
            lambda: demo.number("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'affinityctl rebuild'") == 0,
            "the sessions of the killed rebuild to end",
        )
        found = digests(demo)
        assert found in (expected[now], expected[other])
        if found == expected[other]:
            now = other
            seen["after"] += 1
        else:
            seen["before"] += 1
    assert seen["before"] > 0
    ctl("rebuild", "--quiet", "--set", "learn.half_life_days=90", database=demo)
    assert digests(demo) == expected[90] and leftovers(demo) == []
