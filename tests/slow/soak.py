#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Memory of the service over many requests while orders are written, folded and followed.

A generated store is learned and served. wrk asks for recommendations without pause while two clients write orders of known products and customers
again and again, so that what has to be kept does not grow. After the first fifth of the time, resident memory must not grow: the figure is
the slope of its samples (least squares) over all requests that follow, in MiB, and the goal is what the samples' own scatter allows.

Usage: tests/slow/run soak

AFF_BUILD   build folder with affinityd and affinityctl (default: build/release)
REQUESTS    requests (default 10000000)
"""

import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import requests

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests")]

from support.database import Database, PrivatePostgres  # noqa: E402
from support.programs import run_ctl  # noqa: E402
from support.service import Service  # noqa: E402

BUILD = pathlib.Path(os.environ.get("AFF_BUILD", ROOT / "build" / "release")).resolve()
REQUESTS = int(os.environ.get("REQUESTS", "10000000"))
SAMPLE_S = 0.5
LUA = """
math.randomseed(7)
function request()
    local path = "/recommend?limit=10"
    for i = 1, 3 do path = path .. "&cart=" .. PRODUCTS[math.random(#PRODUCTS)] end
    return wrk.format("GET", path)
end
"""


def resident_mib(process):
    return int(re.search(r"^VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text(), re.M)[1]) / 1024


def write_orders(url, products, stop, seed, written):
    chance = random.Random(seed)
    with requests.Session() as session:
        session.trust_env = False
        while not stop.is_set():
            orders = [{"id": f"soak-{seed}-{chance.randrange(2000)}", "customer": f"soak-{chance.randrange(200)}",
                       "ordered_at": f"2026-10-{1 + chance.randrange(28):02d}T10:00:00Z",
                       "lines": [{"product": product, "quantity": 1, "unit_price": 100}
                                 for product in chance.sample(products, 3)]} for _ in range(10)]
            orders = list({order["id"]: order for order in orders}.values())
            answer = session.post(url + "/v1/orders", json={"orders": orders}, timeout=30)
            assert answer.status_code == 200, answer.text
            written[0] += len(orders)
            stop.wait(0.1)


def slope(samples):
    """Growth from the first to the last sample on the line of least squares, and twice its standard error."""
    n = len(samples)
    middle = (n - 1) / 2
    mean = statistics.fmean(samples)
    spread = sum((i - middle) ** 2 for i in range(n))
    each = sum((i - middle) * (value - mean) for i, value in enumerate(samples)) / spread
    rest = sum((value - mean - each * (i - middle)) ** 2 for i, value in enumerate(samples))
    return each * (n - 1), 2 * (rest / (n - 2) / spread) ** 0.5 * (n - 1)


def run(folder):
    postgres = PrivatePostgres(folder / "postgres")
    try:
        postgres.start()
        database = Database(postgres, postgres.create())
        run_ctl(BUILD, "migrate", "up", database=database)
        run_ctl(BUILD, "generate", "--lines", "100000", "--out", folder / "store", "--quiet")
        for what, name in (("orders", "order_lines.csv"), ("products", "products.csv"), ("customers", "customers.csv")):
            run_ctl(BUILD, "import", what, folder / "store" / name, database=database)
        run_ctl(BUILD, "rebuild", "--quiet", database=database)
        products = [row[0] for row in database.sql("SELECT id FROM affinity.product ORDER BY product LIMIT 300")]
        service = Service(BUILD, database, folder / "log", config={"http_workers": 1})
        service.wait("ready", 60)
        lua = folder / "wrk.lua"
        lua.write_text("PRODUCTS = {" + ",".join(f'"{product}"' for product in products) + "}\n" + LUA)
        stop, written, samples, asked = threading.Event(), [0], [], 0
        writers = [threading.Thread(target=write_orders, args=(service.url, products, stop, seed, written)) for seed in (1, 2)]
        for writer in writers:
            writer.start()
        try:
            while asked < REQUESTS:
                load = subprocess.Popen(["wrk", "-t1", "-c16", "-d10s", "-s", str(lua), service.url + "/"],
                                        stdout=subprocess.PIPE, text=True)
                while load.poll() is None:
                    samples.append(resident_mib(service.process))
                    time.sleep(SAMPLE_S)
                said = load.stdout.read()
                assert "Non-2xx" not in said and "Socket errors" not in said, said
                asked += int(re.search(r"(\d+) requests in", said)[1])
                print(f"{asked:,} requests, {written[0]:,} orders, {samples[-1]:.1f} MiB", flush=True)
        finally:
            stop.set()
            for writer in writers:
                writer.join()
        assert service.stop() == 0, service.log()
        return slope(samples[len(samples) // 5 :])
    finally:
        postgres.remove()


def main():
    if "--help" in sys.argv:
        print(__doc__)
        return 0
    with tempfile.TemporaryDirectory(prefix="aff_soak.") as folder:
        grown, noise = run(pathlib.Path(folder))
    allowed = max(noise, 1.0)
    met = grown <= allowed
    print(f"soak: {grown:+.2f} MiB over {REQUESTS:,} requests (goal <= {allowed:.2f} MiB) {'met' if met else 'missed'}")
    return 0 if met else 1


sys.exit(main())
