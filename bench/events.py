#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Events acknowledged a second: POST /v1/events in batches of 100 with event_ids, committed to a PostgreSQL that syncs.

The service has one processor, PostgreSQL another; the clients, which need little, share the service's. Every event is
counted in the table afterwards.

AFF_BUILD   build folder with affinityd and affinityctl (default: build/release)
EVENTS      events of one run (default 200000)
ROUNDS      runs that count (default 5); the median counts
CLIENTS     requests on their way at one time (default 16)
"""

import json
import os
import pathlib
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "integration")]

from support.database import Database, PrivatePostgres  # noqa: E402
from support.programs import run_ctl  # noqa: E402
from support.service import Service  # noqa: E402
from tiny_store import SQL  # noqa: E402

GOAL = 20000
BATCH = 100
BUILD = pathlib.Path(os.environ.get("AFF_BUILD", ROOT / "build" / "release")).resolve()
EVENTS = int(os.environ.get("EVENTS", "200000"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
CLIENTS = int(os.environ.get("CLIENTS", "16"))
PRODUCTS = ["tea", "pot", "cup", "milk", "soap", "lamp", "nobody knows this"]
KINDS = [("view", 70), ("impression", 15), ("cart", 8), ("search", 5), ("rejection", 2)]


class BenchPostgres(PrivatePostgres):
    """With its syncs: an acknowledged event is on the disk."""

    def start(self):
        self.run("start", "--while", str(os.getpid()))


def event(chance, number):
    kind = chance.choices([name for name, _ in KINDS], [weight for _, weight in KINDS])[0]
    one = {
        "event_id": f"{chance.getrandbits(64):016x}-{number}",
        "kind": kind,
        "at": "2026-11-20T09:00:00Z",
        "session": f"session-{chance.randrange(20000)}",
    }
    if chance.random() < 0.3:
        one["customer"] = chance.choice(["ann", "bob", "somebody new"])
    if kind == "search":
        one["term"] = "green tea"
    else:
        one["product"] = chance.choice(PRODUCTS)
    if kind == "impression":
        one["recommendation_id"] = f"{chance.getrandbits(128):032x}"
        one["rank"] = chance.randrange(1, 10)
    return one


def bodies(seed):
    chance = random.Random(seed)
    return [
        json.dumps({"events": [event(chance, number + i) for i in range(BATCH)]}).encode()
        for number in range(0, EVENTS, BATCH)
    ]


def send(port, body):
    """One request on a connection of its own; a connection that has carried a body ends with the answer."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(
            b"POST /v1/events HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body) + body
        )
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(answer[:500].decode(errors="replace"))
    return int(re.search(rb'"accepted":(\d+)', answer).group(1))


def run_once(port, batches):
    """Sends all; returns events a second and the latencies of the requests in ms."""
    waiting = iter(batches)
    lock = threading.Lock()
    latencies, accepted, failures = [], [0], []

    def work():
        while True:
            with lock:
                body = next(waiting, None)
            if body is None or failures:
                return
            before = time.perf_counter()
            try:
                n = send(port, body)
            except (OSError, RuntimeError) as error:
                failures.append(error)
                return
            with lock:
                accepted[0] += n
                latencies.append((time.perf_counter() - before) * 1e3)

    threads = [threading.Thread(target=work) for _ in range(CLIENTS)]
    before = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - before
    if failures or accepted[0] != EVENTS:
        raise SystemExit(f"bench/events.py: {accepted[0]} of {EVENTS} events were accepted: {failures[:1]}")
    return accepted[0] / took, latencies


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pin(pid, processor):
    """All threads and children that there are; those to come inherit it."""
    subprocess.run(["taskset", "-a", "-cp", str(processor), str(pid)], check=True, capture_output=True)


def main():
    if not (BUILD / "affinityd").exists():
        raise SystemExit(f"bench/events.py: there is no {BUILD}/affinityd; build it first")
    processors = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="aff_bench_events.") as folder:
        postgres = BenchPostgres(pathlib.Path(folder) / "postgres")
        try:
            postgres.start()
            database = Database(postgres, postgres.create())
            data = database.sql("SHOW data_directory")[0][0]
            pid = int(pathlib.Path(data, "postmaster.pid").read_text(encoding="ascii").split()[0])
            pin(pid, processors[-1])
            run_ctl(BUILD, "migrate", "up", database=database)
            database.sql(SQL)
            service = Service(BUILD, database, pathlib.Path(folder) / "log", config={"http_workers": 1})
            service.wait("ready")
            pin(service.process.pid, processors[0])
            os.sched_setaffinity(0, {processors[0]})
            rates, latencies = [], []
            for number in range(ROUNDS):
                batches = bodies(number)
                cpu = cpu_s(service.process.pid)
                rate, of_round = run_once(service.port, batches)
                rates.append(rate)
                latencies += of_round
                print(
                    f"round {number + 1}: {rate:.0f} events/s; the service used"
                    f" {(cpu_s(service.process.pid) - cpu) / EVENTS * 1e6:.1f} us an event",
                    flush=True,
                )
            stored = database.number("SELECT count(*) FROM affinity.event")
            commits = re.search(r"commit_duration_seconds_count (\d+)", service.get("/metrics").text).group(1)
            service.stop()
        finally:
            postgres.remove()
    if stored != EVENTS * ROUNDS:
        raise SystemExit(f"bench/events.py: {stored} events are stored, {EVENTS * ROUNDS} were accepted")
    latencies.sort()
    print(
        f"{stored} events in {commits} commits; a request of {BATCH} took {statistics.median(latencies):.1f} ms"
        f" (p99 {latencies[int(len(latencies) * 0.99)]:.1f} ms)"
    )
    figure = statistics.median(rates)
    met = figure >= GOAL
    print(f"events: {figure:.0f} events/s acknowledged (goal >= {GOAL} events/s) {'met' if met else 'missed'}")
    return 0 if met else 1


sys.exit(main())
