#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments of what the service does. Nothing that was acknowledged may be lost or doubled.

Each workload below is a function that runs KILLS kills of one kind and returns how many things were acknowledged, and
lists of what is lost and of what is doubled (support/crash.py runs the kills). A new kind is one more function in
WORKLOADS.

Usage: tests/slow/run crash [WORKLOAD...]

AFF_BUILD   build folder with affinityd and affinityctl (default: build/release)
KILLS       kills of each workload (default 200)
SEED        of the moments (default: from the clock; it is printed)
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "integration")]

from support.crash import Events, Orders, kill_often, read_only_at_times  # noqa: E402
from support.database import Database, PrivatePostgres  # noqa: E402
from support.programs import environment, run_ctl  # noqa: E402
from support.service import Service  # noqa: E402
from tiny_store import SQL  # noqa: E402

BUILD = pathlib.Path(os.environ.get("AFF_BUILD", ROOT / "build" / "release")).resolve()
KILLS = int(os.environ.get("KILLS", "200"))
SEED = int(os.environ.get("SEED", time.time_ns() % 1000000))


class World:
    """A database of its own and services on it, for one workload."""

    def __init__(self, postgres, folder, **config):
        self.folder = folder
        self.config = config
        self.database = Database(postgres, postgres.create())
        run_ctl(BUILD, "migrate", "up", database=self.database)
        self.database.sql(SQL)

    def start(self):
        return Service(BUILD, self.database, self.folder / "log", config=self.config)

    def ctl(self, *arguments, check=True):
        return run_ctl(BUILD, *arguments, database=self.database, check=check)


def events(postgres, folder):
    """Intake of events; in every third round the database takes no writes, so that the spool is used."""
    world = World(postgres, folder, spool_directory=folder / "spool")
    workload = Events(world.database)
    result = kill_often(world.start, workload, KILLS, SEED, between=read_only_at_times(world.database))
    print(f"events: {workload.spooled} requests were acknowledged from the spool")
    return result


def orders(postgres, folder):
    """Writes and folds of orders, with snapshot files written every second and opened at each start."""
    (folder / "snapshots").mkdir()
    world = World(postgres, folder, snapshot_directory=folder / "snapshots", snapshot_every_s=1)
    return kill_often(world.start, Orders(world.database, world.ctl), KILLS, SEED)


def rebuilds(postgres, folder):
    """The same, with full rebuilds beside that are killed, too."""
    world = World(postgres, folder)

    def rebuild():
        return subprocess.Popen([str(BUILD / "affinityctl"), "rebuild", "--quiet"],
                                env={**environment(), "AFFINITY_DATABASE_URL": world.database.url},
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    return kill_often(world.start, Orders(world.database, world.ctl, beside=rebuild), KILLS, SEED)


WORKLOADS = {"events": events, "orders": orders, "rebuilds": rebuilds}


def main():
    if "--help" in sys.argv:
        print(__doc__)
        return 0
    names = sys.argv[1:] or list(WORKLOADS)
    unknown = [name for name in names if name not in WORKLOADS]
    if unknown:
        raise SystemExit(f"crash: there is no workload {unknown[0]}; there are {', '.join(WORKLOADS)}")
    wrong = kills = 0
    with tempfile.TemporaryDirectory(prefix="aff_crash.") as folder:
        postgres = PrivatePostgres(pathlib.Path(folder) / "postgres")
        try:
            postgres.start()
            for name in names:
                place = pathlib.Path(folder) / name
                place.mkdir()
                before = time.monotonic()
                acknowledged, lost, doubled = WORKLOADS[name](postgres, place)
                kills += KILLS
                wrong += len(lost) + len(doubled) + (acknowledged == 0)
                print(
                    f"{name}: {KILLS} kills in {time.monotonic() - before:.0f} s, seed {SEED}: {acknowledged}"
                    f" acknowledged, {len(lost)} lost {lost[:5]}, {len(doubled)} doubled {doubled[:5]}",
                    flush=True,
                )
        finally:
            postgres.remove()
    print(f"crash: {wrong} lost or doubled after {kills} kills (goal 0) {'missed' if wrong else 'met'}")
    return 1 if wrong else 0


sys.exit(main())
