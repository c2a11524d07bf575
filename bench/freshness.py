#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long it takes from the commit of an order to an answer over HTTP that knows it, at 100 orders a second.

A store of 4,000 generated orders is counted, a service follows it. Then orders are written one by one, each in a transaction of
its own (aff_orders_put, as the API does). Every tenth brings two products together for the second time, which makes
the one an offer for the other: from then on the service is asked for it without pause, over HTTP, until it answers with it.

  --seconds N   length (default 30)
  --rate N      orders a second (default 100)
"""

import argparse
import os
import pathlib
import queue
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
POSTGRES = ROOT / "tests" / "support" / "private_postgres.sh"
GOAL_S = 1.0
PROBE_EVERY, POLLERS, POLL_S, GIVE_UP_S = 10, 2, 0.01, 30


def run(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, text=True, capture_output=True, **options).stdout


def write_history(path, probes, rng):
    """Orders of two years; each probe's products share one of them."""
    with open(path, "w", encoding="utf-8") as out:
        out.write("order_id,customer_id,ordered_at,product_id,quantity,unit_price\n")
        for number in range(4000):
            day = f"2026-{1 + number * 9 // 4000:02d}-{1 + number % 27:02d}T10:00:00Z"
            for product in rng.sample(range(600), 4):
                out.write(f"H{number},C{number % 700},{day},B{product},1,10.00\n")
        for number in range(probes):
            for name in "PQ":
                out.write(f"X{number},,2026-09-30T10:00:00Z,{name}{number},1,10.00\n")


class Writer(threading.Thread):
    """Writes orders at a steady rate and tells when each probe was committed."""

    def __init__(self, driver, url, store, options, committed):
        super().__init__(daemon=True)
        self.options, self.committed = options, committed
        self.rng = random.Random(2)
        self.late = 0
        self.process = subprocess.Popen([str(driver), url, str(store)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def put(self, order, customer, products):
        at_us = int(time.time() * 1e6)
        lines = "".join(f"line\t{product}\t{customer}\t{at_us}\t1\t1000\t-\t0\t0\n" for product in products)
        self.process.stdin.write(f"order\t{order}\n{lines}put\n")
        self.process.stdin.flush()
        while not (said := self.process.stdout.readline()).startswith("done"):
            if not said or said.startswith("failed"):
                raise RuntimeError(f"the writer's database said: {said}")

    def run(self):
        start = time.monotonic()
        for number in range(self.options.seconds * self.options.rate):
            due = start + number / self.options.rate
            time.sleep(max(0.0, due - time.monotonic()))
            self.late = max(self.late, time.monotonic() - due)
            if number % PROBE_EVERY == 0:
                probe = number // PROBE_EVERY
                self.put(f"Y{probe}", f"D{probe}", [f"P{probe}", f"Q{probe}"])
                self.committed.put((probe, time.monotonic()))
            else:
                self.put(f"N{number}", f"C{self.rng.randrange(700)}",
                         [f"B{product}" for product in self.rng.sample(range(600), 4)])
        self.process.stdin.close()
        for _ in range(POLLERS):
            self.committed.put(None)


def poll(service, committed, seen, lost):
    """Asks for the newest probes by turns until each is answered."""
    waiting, more = [], True
    while waiting or more:
        try:
            while more:
                probe = committed.get(block=not waiting)
                if probe is None:
                    more = False
                else:
                    waiting.append(probe)
        except queue.Empty:
            pass
        for probe, since in list(waiting):
            answer = service.get("/recommend", product=f"P{probe}", limit=3)
            now = time.monotonic()
            if answer.status_code != 200:
                lost.append((probe, answer.text))
                waiting.remove((probe, since))
            elif any(item["product"] == f"Q{probe}" for item in answer.json()["items"]):
                seen.append(now - since)
                waiting.remove((probe, since))
            elif now - since > GIVE_UP_S:
                lost.append((probe, "not seen"))
                waiting.remove((probe, since))
        time.sleep(POLL_S)


def measure(build, url, folder, options):
    from support.database import psql
    from support.service import Service

    class Database:
        pass

    Database.url = url
    env = {**os.environ, "AFFINITY_DATABASE_URL": url}
    write_history(folder / "history.csv", options.seconds * options.rate // PROBE_EVERY + 1, random.Random(1))
    run(build / "affinityctl", "migrate", "up", env=env)
    run(build / "affinityctl", "import", "orders", folder / "history.csv", "--currency", "EUR", "--quiet", env=env)
    run(build / "affinityctl", "rebuild", "--quiet", env=env)
    store = int(psql(url, "SELECT store FROM affinity.store").strip("\0\n"))
    service = Service(build, Database, folder / "affinityd.log", config={"http_workers": 1})
    service.wait("ready")
    committed, seen, lost = queue.Queue(), [], []
    writer = Writer(build / "tests" / "put_orders_driver", url, store, options, committed)
    pollers = [threading.Thread(target=poll, args=(service, committed, seen, lost)) for _ in range(POLLERS)]
    for thread in [writer, *pollers]:
        thread.start()
    for thread in [writer, *pollers]:
        thread.join()
    metrics = {line.rsplit(" ", 1)[0]: line.rsplit(" ", 1)[1]
               for line in service.get("/metrics").text.splitlines() if line.startswith("affinity_learner")}
    service.stop()
    return seen, lost, writer.late, metrics


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--rate", type=int, default=100)
    options = parser.parse_args()
    build = pathlib.Path(os.environ["AFF_BUILD"])
    with tempfile.TemporaryDirectory(prefix="aff_bench_freshness.") as folder:
        postgres = pathlib.Path(folder) / "postgres"
        url = run(POSTGRES, "start", postgres, "--while", os.getpid()).strip()
        try:
            seen, lost, late, metrics = measure(build, url, pathlib.Path(folder), options)
        finally:
            subprocess.run([str(POSTGRES), "remove", str(postgres)], capture_output=True)
    for probe, why in lost[:3]:
        print(f"probe {probe}: {why[:200]}")
    if len(seen) < 10:
        print(f"freshness: {len(seen)} orders seen (goal p99 <= {GOAL_S:.0f} s) missed")
        return 1
    seen.sort()
    p99 = seen[min(len(seen) - 1, len(seen) * 99 // 100)]
    folds = int(float(metrics['affinity_learner_folds_total{store="main"}']))
    folded = int(float(metrics['affinity_learner_orders_total{store="main"}']))
    print(f"{options.rate} orders/s for {options.seconds} s, the writer at most {late * 1e3:.0f} ms late; {folded} orders in {folds} folds")
    print(f"commit to answer, {len(seen)} orders: p50 {statistics.median(seen) * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms, "
          f"most {seen[-1] * 1e3:.0f} ms; {len(lost)} not seen")
    met = p99 <= GOAL_S and not lost
    print(f"freshness: p99 {p99:.2f} s (goal <= {GOAL_S:.0f} s) {'met' if met else 'missed'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
