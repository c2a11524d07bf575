#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three services on one database while orders are written without pause: the leader is stopped (SIGSTOP) and let go again,
killed and started again, or its session is ended, by turns. After each round all orders must be counted exactly once.

  --rounds N   default 30
"""

import argparse
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from support.database import Database, PrivatePostgres  # noqa: E402
from support.programs import run_ctl  # noqa: E402
from support.service import Service  # noqa: E402

SERVICES, LEASE_S, PATIENCE_S = 3, 2, 60
CONFIG = {"learn_lease_s": LEASE_S, "http_workers": 1, "learn_rebuild_hours": 0}


class Writer(threading.Thread):
    """Writes and changes orders of 200 customers until it is told to stop."""

    def __init__(self, build, database, store):
        super().__init__(daemon=True)
        self.rng = random.Random(4)
        self.stopping = threading.Event()
        self.running = threading.Event()
        self.running.set()
        self.idle = threading.Event()
        self.written = 0
        self.process = subprocess.Popen([str(build / "tests" / "put_orders_driver"), database.url, str(store)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def put(self):
        known = max(self.written, 1)
        number = self.written if self.rng.random() < 0.8 else self.rng.randrange(known)
        self.written = max(self.written, number + 1)
        at_us = int((time.time() - self.rng.randrange(86400 * 30)) * 1e6)
        customer = f"C{self.rng.randrange(200)}"
        lines = "".join(f"line\tP{self.rng.randrange(120)}\t{customer}\t{at_us}\t1\t1000\t-\t0\t0\n"
                        for _ in range(self.rng.randrange(0 if number < self.written - 1 else 1, 5)))
        self.process.stdin.write(f"order\tW{number}\n{lines}put\n")
        self.process.stdin.flush()
        while not (said := self.process.stdout.readline()).startswith("done"):
            if not said or said.startswith("failed"):
                raise RuntimeError(f"the writer's database said: {said}")

    def run(self):
        while not self.stopping.is_set():
            if not self.running.is_set():
                self.idle.set()
                self.running.wait(0.1)
                continue
            self.idle.clear()
            self.put()
            time.sleep(0.005)
        self.process.stdin.close()
        self.process.wait()

    def pause(self):
        self.running.clear()
        self.idle.wait()


def wait_until(happened, what):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if happened():
            return
        time.sleep(0.05)
    raise RuntimeError(f"{what} did not happen within {PATIENCE_S} s")


class Suite:
    def __init__(self, build, folder, database):
        self.build, self.folder, self.database = build, folder, database
        self.services, self.started = [], 0

    def start(self):
        self.started += 1
        one = Service(self.build, self.database, self.folder / f"affinityd-{self.started}.log", config=CONFIG)
        one.wait("ready")
        self.services.append(one)

    def leader(self):
        name = self.database.sql("SELECT leader FROM affinity.state")[0][0]
        return next((one for one in self.services if name.endswith(f" {one.process.pid}")), None)

    def epoch(self):
        return self.database.number("SELECT epoch FROM affinity.state")

    def disturb(self, way):
        """Takes the lead away from whoever has it."""
        wait_until(lambda: self.leader() is not None, "leading")
        leader, epoch = self.leader(), self.epoch()
        if way == "stop":
            leader.process.send_signal(signal.SIGSTOP)
            wait_until(lambda: self.epoch() > epoch, "taking over from a stopped leader")
            time.sleep(0.5)
            leader.process.send_signal(signal.SIGCONT)
        elif way == "kill":
            leader.process.kill()
            leader.process.wait()
            self.services.remove(leader)
            wait_until(lambda: self.epoch() > epoch, "taking over from a killed leader")
            self.start()
        else:
            self.database.sql("SELECT pg_terminate_backend(l.pid) FROM pg_locks l WHERE l.locktype = 'advisory'"
                              " AND l.classid = 1718578276 AND l.granted")
            wait_until(lambda: self.epoch() > epoch, "taking over after a session was ended")

    def is_exact(self):
        wait_until(lambda: self.database.number("SELECT count(*) FROM affinity.order_outbox WHERE NOT folded") == 0,
                   "folding all")
        found = run_ctl(self.build, "verify", "--quiet", database=self.database, check=False)
        if found.returncode != 0:
            print(found.stdout + found.stderr)
        return found.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    build = pathlib.Path(os.environ["AFF_BUILD"])
    wrong, took = 0, []
    with tempfile.TemporaryDirectory(prefix="aff_slow_leaders.") as name:
        folder = pathlib.Path(name)
        cluster = PrivatePostgres(folder / "postgres")
        cluster.start()
        suite = None
        try:
            database = Database(cluster, cluster.create("leaders"))
            run_ctl(build, "migrate", "up", database=database)
            first = folder / "first.csv"
            first.write_text("order_id,customer_id,ordered_at,product_id,quantity,unit_price\n" + "".join(
                f"F{n},C{n % 50},{time.strftime('%Y-%m-%dT%H:%M:%SZ')},P{n % 120},1,10.00\n" for n in range(500)))
            run_ctl(build, "import", "orders", str(first), "--currency", "EUR", "--quiet", database=database)
            run_ctl(build, "rebuild", "--quiet", database=database)
            suite = Suite(build, folder, database)
            for _ in range(SERVICES):
                suite.start()
            writer = Writer(build, database, database.number("SELECT store FROM affinity.store"))
            writer.start()
            for number in range(options.rounds):
                way = ("stop", "kill", "end")[number % 3]
                since = time.monotonic()
                suite.disturb(way)
                took.append(time.monotonic() - since)
                time.sleep(0.3)
                writer.pause()
                exact = suite.is_exact()
                wrong += not exact
                print(f"round {number + 1}: {way}, {writer.written} orders, epoch {suite.epoch()}, "
                      f"{'exact' if exact else 'WRONG'}", flush=True)
                writer.running.set()
            writer.stopping.set()
            writer.join()
        finally:
            for one in suite.services if suite else []:
                one.process.kill()
                one.process.wait()
            cluster.remove()
    print(f"a new leader after {sorted(took)[len(took) // 2]:.1f} s (most {max(took):.1f} s)")
    print(f"leaders: {wrong} of {options.rounds} rounds wrong (goal 0) {'missed' if wrong else 'met'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
