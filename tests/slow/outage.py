#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL is stopped at once, as by a power cut, for a minute under load.

All the time /recommend is asked and events are sent. No recommendation may fail, and every event that was acknowledged must be
in the database afterwards exactly once.

Usage: tests/slow/run outage

AFF_BUILD   build folder with affinityd and affinityctl (default: build/release)
AWAY_S      length of the outage (default 60)
"""

import os
import pathlib
import sys
import tempfile
import threading
import time

import requests

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "integration")]

from support.crash import Events  # noqa: E402
from support.database import Database, PrivatePostgres  # noqa: E402
from support.programs import run_ctl  # noqa: E402
from support.service import Service  # noqa: E402
from tiny_store import SQL  # noqa: E402

BUILD = pathlib.Path(os.environ.get("AFF_BUILD", ROOT / "build" / "release")).resolve()
AWAY_S = float(os.environ.get("AWAY_S", "60"))


def ask(url, stop, result):
    with requests.Session() as session:
        session.trust_env = False
        while not stop.is_set():
            try:
                answer = session.get(url + "/recommend", params={"cart": "tea"}, timeout=5)
                good = answer.status_code == 200 and answer.json()["items"][0]["product"] == "pot"
            except (requests.RequestException, ValueError, IndexError):
                good = False
            result["asked"] += 1
            result["failed"] += not good


def run(folder):
    postgres = PrivatePostgres(folder / "postgres")

    def start():
        # Synchronous commits: what PostgreSQL acknowledges survives its own death.
        postgres.run("start", "--tcp", "--while", str(os.getpid()))

    try:
        start()
        database = Database(postgres, postgres.create())
        run_ctl(BUILD, "migrate", "up", database=database)
        database.sql(SQL)
        (folder / "snapshots").mkdir()
        service = Service(BUILD, database, folder / "log",
                          config={"spool_directory": folder / "spool", "snapshot_directory": folder / "snapshots",
                                  "database_retry_max_s": 2})
        service.wait("ready", 30)
        events = Events(database)
        result = {"asked": 0, "failed": 0}
        stop = threading.Event()
        asking = threading.Thread(target=ask, args=(service.url, stop, result))
        asking.start()
        events.begin(service)
        time.sleep(3)
        postgres.stop()
        time.sleep(AWAY_S)
        start()
        time.sleep(5)
        events.end()
        stop.set()
        asking.join()
        events.settle(service)
        assert service.stop() == 0, service.log()
        acknowledged, lost, doubled = events.check()
        print(f"away for {AWAY_S:.0f} s: {result['asked']} recommendations, {result['failed']} failed; {acknowledged} events"
              f" acknowledged, {events.spooled} requests of them from the spool, {len(lost)} lost, {len(doubled)} doubled")
        return result["failed"] + len(lost) + len(doubled) + (acknowledged == 0) + (events.spooled == 0)
    finally:
        postgres.remove()


def main():
    if "--help" in sys.argv:
        print(__doc__)
        return 0
    with tempfile.TemporaryDirectory(prefix="aff_outage.") as folder:
        wrong = run(pathlib.Path(folder))
    print(f"outage: {wrong} failed, lost or doubled (goal 0) {'missed' if wrong else 'met'}")
    return 1 if wrong else 0


sys.exit(main())
