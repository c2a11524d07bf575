#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Requests a second of /recommend on one worker core, as a share of a bare libmicrohttpd that answers the same bytes.

The service (bench/support/serving_host.c: one worker, a synthetic store of 100,000 products with 100 neighbours each) and
the floor (bench/support/http_floor.c) run on one processor, wrk on the other. Short runs of both alternate. Each run gives two
figures: requests a second, and requests for each second of processor time of the answering process. The second does not
depend on how busy the machine is otherwise, the first shows waiting that costs no processor time; the lower of the two
medians of the pairwise ratios counts. Two questions: a cart of five and a product page.
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
import urllib.request

GOALS = {"cart": 0.60, "product": 0.75}
LUA = """
local lines = {}
local n = 0
function init(args)
    for line in io.lines(os.getenv("AFF_PATHS")) do lines[#lines + 1] = wrk.format("GET", line) end
end
function request()
    n = n % #lines + 1
    return lines[n]
end
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(arguments, processor):
    process = subprocess.Popen(["taskset", "-c", str(processor), *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    if process.stdout.readline().strip() != "listening":
        sys.exit(f"serving: {arguments[0]} did not start")
    return process


def processor_s(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wrk(process, port, script, paths, seconds, connections):
    """Requests a second, and a second of the process's processor time."""
    before = processor_s(process)
    said = subprocess.run(
        ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, f"http://127.0.0.1:{port}/"],
        env={**os.environ, "AFF_PATHS": str(paths)}, capture_output=True, text=True, check=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", said)
    if failed:
        sys.exit(f"serving: {failed.group(0)}")
    answered = int(re.search(r"(\d+) requests in", said).group(1))
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1)), answered / (processor_s(process) - before)


def paths_of(host, name):
    """Request paths of one question, as the host prints them."""
    said = subprocess.run([host, "--paths", name], capture_output=True, text=True, check=True).stdout.split("\n")
    return [line for line in said if line]


def fetch(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.read()


def measure(name, host, floor, process, port, folder, options):
    paths = paths_of(host, name)
    (folder / name).write_text("\n".join(paths) + "\n")
    bodies = sorted((fetch(port, path) for path in paths[:200]), key=len)
    body = folder / f"{name}.json"
    body.write_bytes(bodies[len(bodies) // 2])
    floor_port = free_port()
    floor_process = start([floor, floor_port, body], 0)
    runs = []
    try:
        for turn in range(options.rounds + 1):
            load = (folder / "wrk.lua", folder / name, options.seconds, options.connections)
            served = wrk(process, port, *load)
            bare = wrk(floor_process, floor_port, *load)
            if turn > 0:  # The first pair warms up.
                runs.append((served, bare))
    finally:
        floor_process.terminate()
        floor_process.wait()
    ratios = []
    for figure, what in enumerate(("requests a second", "requests a processor second")):
        pairs = [served[figure] / bare[figure] for served, bare in runs]
        ratios.append(statistics.median(pairs))
        print(f"{name}, {what}: {ratios[-1]:.3f} of the floor (pairs {min(pairs):.3f} to {max(pairs):.3f}), "
              f"{statistics.median(run[0][figure] for run in runs):,.0f} against "
              f"{statistics.median(run[1][figure] for run in runs):,.0f}, {len(bodies[len(bodies) // 2])} bytes", flush=True)
    return min(ratios)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="pairs of runs that count (default 9)")
    parser.add_argument("--seconds", type=int, default=2, help="length of one run (default 2)")
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    build = pathlib.Path(os.environ.get("AFF_BUILD", "build/release"))
    host, floor = build / "bench" / "serving_host", build / "bench" / "http_floor"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "wrk.lua").write_text(LUA)
        port = free_port()
        process = start([host, port], 0)
        try:
            reached = {case: measure(case, host, floor, process, port, folder, options) for case in GOALS}
        finally:
            process.terminate()
            process.wait()
    met = all(reached[case] >= goal for case, goal in GOALS.items())
    print(f"serving: cart {reached['cart']:.2f}, product {reached['product']:.2f} of the floor "
          f"(goal cart >= {GOALS['cart']:.2f}, product >= {GOALS['product']:.2f}) {'met' if met else 'missed'}")
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
