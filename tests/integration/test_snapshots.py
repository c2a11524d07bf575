# SPDX-License-Identifier: Apache-2.0
"""Snapshot files: start at once, without the database, from what was served last."""

import os
import time

import pytest
from support.programs import environment
from tiny_store import SQL


@pytest.fixture
def tiny(database):
    database.sql(SQL)
    return database


class Away:
    """A database that nobody listens for."""

    url = "postgresql://nobody@127.0.0.1:1/nothing"


def until(holds, seconds=10):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def saved(folder, service, tiny, **changes):
    """Lets a service write its files; returns them, oldest first."""
    one = service(tiny, snapshot_directory=folder, **changes)
    assert one.get("/recommend", cart="tea").json()["items"][0]["product"] == "pot"
    one.stop()
    return sorted(folder.glob("*.snapshot"))


def test_it_starts_without_the_database_from_the_file_of_the_last_end(service, tiny, tmp_path):
    assert len(saved(tmp_path, service, tiny)) == 1
    one = service(Away, snapshot_directory=tmp_path)
    answer = one.get("/recommend", cart="tea").json()
    assert answer["items"][0]["product"] == "pot"
    assert answer["index"]["age_s"] >= 0
    health = one.get("/health").json()
    assert health["status"] == "degraded" and health["stores"][0]["snapshot_at"] is not None
    assert one.get("/health/ready").status_code == 200
    assert [line for line in one.log().splitlines() if '"snapshot_opened"' in line]


def test_the_database_takes_over_when_it_answers(service, tiny, tmp_path):
    saved(tmp_path, service, tiny)
    tiny.sql("UPDATE affinity.product SET price = 777 WHERE product = 2;"
             "UPDATE affinity.catalogue_state SET version = version + 1 WHERE store = 1;"
             "INSERT INTO affinity.catalogue_change SELECT 1, 1, 2, version FROM affinity.catalogue_state WHERE store = 1")
    one = service(tiny, snapshot_directory=tmp_path, database_poll_ms=50)
    until(lambda: one.get("/health").json()["stores"][0]["snapshot_at"] is None)
    assert one.get("/recommend", cart="tea").json()["items"][0]["price"]["amount"] == 777
    # What changed was enough: not all was loaded.
    assert 'affinity_index_full_loads_total{store="main"} 0' in one.get("/metrics").text


def test_files_are_written_while_it_runs_and_three_are_kept(service, tiny, tmp_path):
    one = service(tiny, snapshot_directory=tmp_path, snapshot_every_s=1, database_poll_ms=50)
    for version in range(4, 9):
        tiny.sql(f"INSERT INTO affinity.touched VALUES (1, 1, 1, {version}) ON CONFLICT (store, what, key)"
                 f" DO UPDATE SET version = {version}; UPDATE affinity.state SET version = {version}, published = {version}")
        until(lambda: any(f".v{version}." in path.name for path in tmp_path.glob("*.snapshot")))
    until(lambda: len(list(tmp_path.glob("*.snapshot"))) == 3)  # the oldest goes after the newest is there
    one.stop()


def test_a_damaged_file_is_named_and_the_one_before_is_used(service, tiny, tmp_path):
    one = service(tiny, snapshot_directory=tmp_path, snapshot_every_s=1, database_poll_ms=50)
    until(lambda: list(tmp_path.glob("*.snapshot")))
    tiny.sql("INSERT INTO affinity.touched VALUES (1, 1, 1, 4); UPDATE affinity.state SET version = 4, published = 4")
    until(lambda: len(list(tmp_path.glob("*.snapshot"))) == 2)
    one.stop()
    newest = next(tmp_path.glob("*.v4.snapshot"))
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    two = service(Away, snapshot_directory=tmp_path)
    assert two.get("/recommend", cart="tea").json()["index"]["version"] == 3
    refused = [line for line in two.log().splitlines() if '"snapshot_refused"' in line]
    assert len(refused) == 1 and newest.name in refused[0]


def test_a_folder_that_is_not_there_is_said_and_the_service_runs(service, tiny, tmp_path):
    one = service(tiny, snapshot_directory=tmp_path / "missing", snapshot_every_s=1)
    assert one.get("/recommend", cart="tea").status_code == 200
    until(lambda: "missing" in one.log())
    time.sleep(2.5)
    assert len([line for line in one.log().splitlines() if '"event":"snapshot"' in line]) <= 2  # read, written; no repetition
