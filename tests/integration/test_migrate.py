# SPDX-License-Identifier: Apache-2.0
"""affinityctl migrate against a real database."""
import subprocess

import pytest


def start_up(build, url):
    return subprocess.Popen(
        [build / "affinityctl", "migrate", "up", "--database", url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_up_makes_the_schema_and_a_second_up_changes_nothing(ctl, empty_database):
    first = ctl("migrate", "up", database=empty_database)
    assert "applied 001 foundation" in first.stdout
    rows = empty_database.sql("SELECT number, name, checksum, applied_at FROM affinity.migration ORDER BY number")
    assert [int(row[0]) for row in rows] == list(range(1, len(rows) + 1))
    assert all(len(row[2]) == 32 for row in rows)

    second = ctl("migrate", "up", database=empty_database)
    assert "applied" not in second.stdout
    assert (
        empty_database.sql("SELECT number, name, checksum, applied_at FROM affinity.migration ORDER BY number") == rows
    )


def test_programs_that_migrate_at_once_do_it_once(build, empty_database):
    programs = [start_up(build, empty_database.url) for _ in range(4)]
    outputs = [program.communicate(timeout=60) for program in programs]
    assert [program.returncode for program in programs] == [0] * 4, outputs
    applied = "".join(out for out, _ in outputs).count("applied 001")
    assert applied == 1


def test_status_lists_what_is_missing_and_what_is_applied(ctl, empty_database):
    before = ctl("migrate", "status", database=empty_database).stdout
    assert "001  foundation" in before and "missing" in before
    ctl("migrate", "up", database=empty_database)
    after = ctl("migrate", "status", database=empty_database).stdout
    assert "missing" not in after and "applied" in after


def test_verify_agrees_with_a_fresh_schema(ctl, database):
    assert ctl("migrate", "verify", database=database).returncode == 0


def test_verify_of_an_empty_database_says_what_to_run(ctl, empty_database):
    result = ctl("migrate", "verify", database=empty_database, check=False)
    assert result.returncode == 1
    assert "affinityctl migrate up" in result.stderr


def test_a_changed_migration_is_found_and_nothing_is_built_on_it(ctl, database):
    database.sql("UPDATE affinity.migration SET checksum = repeat('0', 32) WHERE number = 1")
    verify = ctl("migrate", "verify", database=database, check=False)
    assert verify.returncode == 1
    assert "001 foundation" in verify.stderr and "checksum" in verify.stderr
    assert "CHANGED" in ctl("migrate", "status", database=database).stdout
    up = ctl("migrate", "up", database=database, check=False)
    assert up.returncode == 1
    assert "migration 1 in the database differs" in up.stderr


def test_a_newer_database_is_refused(ctl, database):
    database.sql("INSERT INTO affinity.migration (number, name, checksum) VALUES (999, 'later', 'x')")
    for action in ("up", "verify"):
        result = ctl("migrate", action, database=database, check=False)
        assert result.returncode == 1
        assert "newer than this program" in result.stderr and "999" in result.stderr
    assert "newer" in ctl("migrate", "status", database=database).stdout
    answer = ctl("recommend", "--cart", "a", database=database, check=False)
    assert answer.returncode == 1
    assert "newer than this program" in answer.stderr


def test_an_existing_schema_is_taken_over(ctl, empty_database):
    empty_database.sql("CREATE SCHEMA affinity")
    ctl("migrate", "up", database=empty_database)
    assert ctl("migrate", "verify", database=empty_database).returncode == 0


def test_a_failing_migration_leaves_nothing_behind(ctl, empty_database):
    # The first migration makes this table, too: it must fail there, as a whole.
    empty_database.sql("CREATE SCHEMA affinity; CREATE TABLE affinity.customer (store integer)")
    result = ctl("migrate", "up", database=empty_database, check=False)
    assert result.returncode == 1
    assert "migration 1 (foundation)" in result.stderr and "customer" in result.stderr
    tables = empty_database.sql("SELECT relname FROM pg_class WHERE relnamespace = 'affinity'::regnamespace AND relkind = 'r'")
    assert sorted(row[0] for row in tables) == ["customer", "migration"]
    assert empty_database.sql("SELECT count(*) FROM affinity.migration") == [("0",)]


@pytest.mark.parametrize("arguments", [[], ["sideways"], ["up", "down"], ["up", "--no-such"]])
def test_wrong_arguments_do_nothing(ctl, empty_database, arguments):
    result = ctl("migrate", *arguments, database=empty_database, check=False)
    assert result.returncode == 2
    assert empty_database.sql("SELECT to_regnamespace('affinity') IS NULL") == [("t",)]


def test_help_has_examples(ctl, empty_database):
    result = ctl("migrate", "--help", database=empty_database)
    assert "Examples:" in result.stdout
