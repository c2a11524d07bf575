#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Orders a second by POST /v1/orders, committed and answered: in batches of 100, and one by one.

Orders of three lines each, of 10,000 customers and 2,000 products, every id new, sent by wrk over 16 connections that each
request closes. The database is private, on this machine, and waits for its disk at each commit (fsync is on). Short turns of
both forms alternate; each figure is a median with its range. Products are put one by one and in batches of 100 at the end.
"""

import argparse
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOAL = 2000  # orders a second in batches of 100
LUA = """
local run = os.getenv("AFF_RUN")
local batch = tonumber(os.getenv("AFF_BATCH"))
local what = os.getenv("AFF_WHAT")
local n = 0
local headers = {["Content-Type"] = "application/x-ndjson"}
local function line()
    return string.format('{"product":"p%d","quantity":%d,"unit_price":%d}', math.random(2000), math.random(3), math.random(9999))
end
local function order()
    n = n + 1
    return string.format('{"id":"%s-%d","customer":"c%d","ordered_at":"2026-01-%02dT%02d:00:00Z","lines":[%s,%s,%s]}', run, n,
        math.random(10000), math.random(28), math.random(23), line(), line(), line())
end
local function product()
    return string.format('{"id":"p%d","price":%d,"stock":%d}', math.random(2000), math.random(99999), math.random(100))
end
function init(args) math.randomseed(tonumber(os.getenv("AFF_SEED"))) end
function request()
    local entries = {}
    for i = 1, batch do entries[i] = what == "orders" and order() or product() end
    return wrk.format(what == "orders" and "POST" or "PUT", "/v1/" .. what, headers, table.concat(entries, "\\n"))
end
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def psql(url, text):
    return subprocess.run(["psql", url, "-XqAt", "-v", "ON_ERROR_STOP=1"], input=text, capture_output=True, text=True,
                          check=True).stdout.strip()


def turn(url, port, script, what, batch, number, options):
    """Entries a second, as the database counts them."""
    count = "SELECT count(*) FROM affinity.orders"
    before = int(psql(url, count))
    began = time.monotonic()
    said = subprocess.run(
        ["wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds}s", "--latency", "-s", script,
         f"http://127.0.0.1:{port}/"],
        env={**os.environ, "AFF_RUN": f"r{number}", "AFF_BATCH": str(batch), "AFF_WHAT": what, "AFF_SEED": str(number)},
        capture_output=True, text=True, check=True).stdout
    took = time.monotonic() - began
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    if failed:
        sys.exit(f"writes: {failed.group(0)}")
    requests = int(re.search(r"(\d+) requests in", said).group(1))
    written = int(psql(url, count)) - before
    if what == "orders" and written < requests * batch:
        sys.exit(f"writes: {requests} requests were answered, but only {written} orders are there")
    p99 = re.search(r"99%\s+(\S+)", said).group(1)
    return requests * batch / took, p99


def figure(rates):
    return f"{statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"


def measure(url, port, folder, options):
    script = folder / "writes.lua"
    script.write_text(LUA)
    rates = {}
    number = int(time.time())
    for name, what, batch in (("batch", "orders", 100), ("single", "orders", 1), ("products", "products", 100),
                              ("product", "products", 1)):
        for _ in range(options.rounds):
            number += 1
            rate, p99 = turn(url, port, script, what, batch, number, options)
            rates.setdefault(name, []).append(rate)
            print(f"{what} in batches of {batch}: {rate:,.0f}/s, p99 of a request {p99}", flush=True)
    print(f"orders in batches of 100: {figure(rates['batch'])}/s; one by one: {figure(rates['single'])}/s")
    print(f"products in batches of 100: {figure(rates['products'])}/s; one by one: {figure(rates['product'])}/s")
    return statistics.median(rates["batch"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5, help="of one turn (default 5)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (default 3)")
    parser.add_argument("--connections", type=int, default=16, help="of wrk (default 16)")
    options = parser.parse_args()
    build = pathlib.Path(os.environ.get("AFF_BUILD", ROOT / "build" / "release")).resolve()
    cluster = ROOT / "tests" / "support" / "private_postgres.sh"
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="aff_bench_writes.") as name:
        folder = pathlib.Path(name)
        url = subprocess.run([cluster, "start", folder / "postgres", "--while", str(os.getpid())], check=True,
                             capture_output=True, text=True).stdout.strip()
        environment = {**os.environ, "AFFINITY_DATABASE_URL": url, "AFFINITY_HTTP_PORT": str(port), "AFFINITY_HTTP_WORKERS": "1"}
        try:
            subprocess.run([build / "affinityctl", "migrate", "up", "--quiet"], env=environment, check=True,
                           stdout=subprocess.DEVNULL)
            orders = folder / "orders.csv"
            orders.write_text("order_id,customer_id,ordered_at,product_id,quantity,unit_price\n"
                              "first,c1,2026-01-01T00:00:00Z,p1,1,1.00\n")
            subprocess.run([build / "affinityctl", "import", "orders", "--currency", "EUR", "--quiet", orders],
                           env=environment, check=True, stdout=subprocess.DEVNULL)
            with subprocess.Popen([build / "affinityd"], env=environment, stderr=subprocess.DEVNULL) as service:
                try:
                    wait(port)
                    rate = measure(url, port, folder, options)
                finally:
                    service.terminate()
        finally:
            subprocess.run([cluster, "remove", folder / "postgres"], check=False, stdout=subprocess.DEVNULL)
    met = rate >= GOAL
    print(f"writes: {rate:,.0f} orders/s (goal >= {GOAL} orders/s in batches of 100) {'met' if met else 'missed'}")
    return 0 if met else 1


def wait(port):
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready") as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.05)
    sys.exit("writes: the service is not ready after 10 s")


if __name__ == "__main__":
    sys.exit(main())
