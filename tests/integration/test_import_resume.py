# SPDX-License-Identifier: Apache-2.0
"""Imports that are killed, repeated, or meet each other."""

import random
import signal
import subprocess
import time

import pytest

from import_files import random_orders, staging_tables, stored, text_of
from support.programs import environment

OPTIONS = ("--cancellation-prefix=C", "--commit-every=500")


@pytest.fixture
def start(build):
    started = []

    def run(database, *arguments, **more):
        process = subprocess.Popen(
            [build / "affinityctl", "import", *map(str, arguments)],
            env=environment(database),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            **more,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def orders(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(text_of(random_orders(12000, 11)))
    return path


def wait_until(database, statement, seconds=30):
    for _ in range(seconds * 20):
        if database.sql(statement)[0][0] == "t":
            return
        time.sleep(0.05)
    pytest.fail(f"did not come true: {statement}")


def staged(at_least):
    return f"SELECT coalesce(max(staged), 0) >= {at_least} FROM affinity.import_job WHERE state = 'staging'"


def whole(ctl, postgres, template_database, path):
    """What an import without a kill stores."""
    from support.database import Database

    database = Database(postgres, postgres.create(template=template_database.name))
    ctl("import", "orders", *OPTIONS, path, database=database)
    result = stored(database)
    postgres.drop(database.name)
    return result


def test_an_import_killed_at_any_moment_changes_nothing_or_all(ctl, start, database, postgres, template_database, orders):
    expected = whole(ctl, postgres, template_database, orders)
    rng = random.Random(3)
    killed = resumed = 0
    begun = time.monotonic()
    ctl("import", "orders", "--store=other", *OPTIONS, orders, database=database)
    takes_s = time.monotonic() - begun
    database.sql("TRUNCATE affinity.orders, affinity.order_line, affinity.product, affinity.customer CASCADE")
    for _ in range(12):
        process = start(database, "orders", *OPTIONS, orders)
        try:
            _, messages = process.communicate(timeout=rng.uniform(0, takes_s))
            assert process.returncode == 0, messages
        except subprocess.TimeoutExpired:
            process.kill()
            _, messages = process.communicate()
            killed += 1
        resumed += "going on with an earlier import" in messages
        now = stored(database)
        assert now in ([], expected)
        if now == expected and process.returncode == 0:
            database.sql("TRUNCATE affinity.orders, affinity.order_line, affinity.product, affinity.customer CASCADE")
    result = ctl("import", "orders", *OPTIONS, orders, database=database)
    assert "changed" in result.stdout
    assert stored(database) == expected
    assert staging_tables(database) == []
    assert killed > 0


def test_a_killed_import_goes_on_where_it_was(ctl, start, database, postgres, template_database, orders):
    with open(orders, encoding="utf-8") as file:
        lines = file.readlines()
    assert start_and_kill_when_staged(start, database, orders) >= 1000
    assert stored(database) == []
    result = ctl("import", "orders", *OPTIONS, orders, database=database)
    assert "going on with an earlier import" in result.stderr
    assert f"{len(lines) - 1:,} records" in result.stdout
    assert stored(database) == whole(ctl, postgres, template_database, orders)
    assert staging_tables(database) == []


def start_and_kill_when_staged(start, database, path):
    """Kills an import between its first and its last chunk; the number of staged lines. The tables are locked, so
    that it cannot run to its end before."""
    lock = subprocess.Popen(
        ["psql", database.url, "-Xq"], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    )
    lock.stdin.write("BEGIN; LOCK TABLE affinity.orders IN SHARE MODE; SELECT 'locked';\n")
    lock.stdin.flush()
    while "locked" not in lock.stdout.readline():
        pass
    process = start(database, "orders", *OPTIONS, path)
    wait_until(database, staged(1000))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    lock.communicate("ROLLBACK;\n")
    wait_until(database, "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory'")
    return int(database.sql("SELECT max(staged) FROM affinity.import_job")[0][0])


def test_restart_and_lost_staging_begin_anew(ctl, start, database, postgres, template_database, orders):
    expected = whole(ctl, postgres, template_database, orders)
    start_and_kill_when_staged(start, database, orders)
    # A crash of the server empties unlogged tables.
    for table, in staging_tables(database):
        database.sql(f"TRUNCATE affinity.{table}")
    result = ctl("import", "orders", *OPTIONS, orders, database=database)
    assert "going on" not in result.stderr
    assert stored(database) == expected
    database.sql("TRUNCATE affinity.orders, affinity.order_line")
    start_and_kill_when_staged(start, database, orders)
    result = ctl("import", "orders", "--restart", *OPTIONS, orders, database=database)
    assert "going on" not in result.stderr
    assert stored(database) == expected
    assert staging_tables(database) == []


def test_other_rules_or_content_are_another_job(ctl, start, database, orders):
    start_and_kill_when_staged(start, database, orders)
    result = ctl("import", "orders", "--zero-price=keep", *OPTIONS, orders, database=database)
    assert "going on" not in result.stderr
    assert len(staging_tables(database)) == 3  # of the killed one, until it is too old


def test_jobs_that_are_too_old_are_thrown_away(ctl, start, database, tmp_path, orders):
    start_and_kill_when_staged(start, database, orders)
    other = tmp_path / "other.csv"
    other.write_text(text_of(random_orders(5, 1)))
    database.sql("UPDATE affinity.import_job SET updated_at = now() - interval '6 days 23 hours'")
    ctl("import", "orders", other, database=database)
    assert len(staging_tables(database)) == 3
    database.sql("UPDATE affinity.import_job SET updated_at = now() - interval '7 days 1 hour' WHERE state = 'staging'")
    ctl("import", "orders", other, database=database)
    assert staging_tables(database) == []
    assert database.sql("SELECT state FROM affinity.import_job") == [("done",)]


def test_two_imports_into_one_store_do_not_meet(ctl, start, database, orders):
    first = start(database, "orders", "-", stdin=subprocess.PIPE)
    wait_until(database, "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory'")
    for what in (("orders", orders), ("products", orders)):
        second = ctl("import", *what, "--column=product_id=product_id", database=database, check=False)
        assert second.returncode == 4
        assert "another import into this store is running: affinityctl" in second.stderr
    ctl("import", "orders", "--store=other", orders, database=database)
    out, messages = first.communicate("order_id,ordered_at,product_id,quantity,unit_price\nA1,2024-01-01,P1,1,1\n")
    assert first.returncode == 0, messages
    assert "orders: 1 new" in out


def test_ids_that_others_create_meanwhile_are_taken_over(start, database, tmp_path):
    rows = random_orders(12000, 12)
    text = text_of(rows)
    process = start(database, "orders", "--commit-every=100", "-", stdin=subprocess.PIPE)
    process.stdin.write(text[:-2])
    process.stdin.flush()
    wait_until(database, staged(100))
    database.sql(
        "INSERT INTO affinity.product (store, id, name) VALUES (1, 'P3', 'cup'), (1, 'unseen', 'pot');"
        "INSERT INTO affinity.customer (store, id, country) VALUES (1, 'K3', 'NL')"
    )
    out, messages = process.communicate(text[-2:])
    assert process.returncode == 0, messages
    assert database.sql("SELECT count(*) FROM affinity.product WHERE id LIKE 'P%'") == [("15",)]
    assert database.sql(
        "SELECT count(*) FROM affinity.order_line l JOIN affinity.product p USING (store, product) WHERE p.name = 'cup'"
    ) == [(str(sum(row[3] == "P3" for row in rows)),)]
    assert database.sql(
        "SELECT count(*) FROM affinity.order_line l JOIN affinity.customer c USING (store, customer) WHERE country = 'NL'"
    ) == [(str(sum(row[1] == "K3" for row in rows)),)]
    assert database.sql(
        "SELECT count(*) FROM affinity.order_line l LEFT JOIN affinity.product p USING (store, product) WHERE p.id IS NULL"
    ) == [("0",)]
