#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small orders a second that one connection writes with aff_orders_put() in batches of 100, each batch committed to a private
PostgreSQL with its default settings that holds a generated store; and the time of a single order, from BEGIN to COMMIT.

The goal of 2,000 orders/s has to be met, and the median of single orders has to stay within 5 ms.
"""

import argparse
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
POSTGRES = ROOT / "tests" / "support" / "private_postgres.sh"
GOAL, SINGLE_GOAL_MS = 2000, 5


def put(driver, rng, first, n):
    """Writes n new orders of one to five lines, a few of them returns; microseconds."""
    words = []
    for number in range(first, first + n):
        words.append(f"order\tNEW{number}\n")
        customer, at = f"C{rng.randrange(20000)}", 1_750_000_000_000_000 + rng.randrange(10**13)
        for _ in range(rng.randrange(1, 6)):
            product, quantity = int(rng.paretovariate(0.7)) % 5000, -1 if rng.random() < 0.03 else 1
            words.append(f"line\tP{product}\t{customer}\t{at}\t{quantity}\t{rng.randrange(100, 9999)}\t-\t0\t0\n")
    driver.stdin.write("".join(words) + "put\n")
    driver.stdin.flush()
    answer = driver.stdout.readline()
    if not answer.startswith("done"):
        sys.exit(f"bench/small_orders.py: {answer.strip() or 'the driver has died'}")
    return int(re.search(r"us=(\d+)", answer)[1])


def percentile(times, share):
    return sorted(times)[int(len(times) * share)] / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000, help="lines of the generated store (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=300, help="batches, and single orders (default: %(default)s)")
    options = parser.parse_args()
    build = pathlib.Path(os.environ.get("AFF_BUILD", ROOT / "build" / "release")).resolve()
    with tempfile.TemporaryDirectory(prefix="aff_bench_orders.") as folder:
        folder = pathlib.Path(folder)
        folder.chmod(0o755)
        url = subprocess.run(
            [POSTGRES, "start", folder / "pg", "--while", str(os.getpid())], check=True, capture_output=True, text=True
        ).stdout.strip()
        try:
            environment = {**os.environ, "AFFINITY_DATABASE_URL": url}
            for arguments in (
                ["generate", "--quiet", "--out", folder / "shop", "--lines", str(options.lines)],
                ["migrate", "up", "--quiet"],
                ["import", "orders", "--quiet", folder / "shop" / "order_lines.csv"],
            ):
                subprocess.run([build / "affinityctl", *arguments], env=environment, check=True, stdout=subprocess.DEVNULL)
            driver = subprocess.Popen(
                [build / "tests" / "put_orders_driver", url, "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
            )
            rng, written = random.Random(1), 0
            batches, singles = [], []
            for round in range(options.rounds + 20):
                took = put(driver, rng, written, 100), put(driver, rng, written + 100, 1)
                written += 101
                if round >= 20:  # the first ones create products and customers
                    batches.append(took[0])
                    singles.append(took[1])
            driver.stdin.close()
            driver.wait()
        finally:
            subprocess.run([POSTGRES, "remove", folder / "pg"], check=False, stdout=subprocess.DEVNULL)
    rate = 100 * len(batches) / (sum(batches) / 1e6)
    single_ms = percentile(singles, 0.5)
    print(f"batches of 100: {rate:.0f} orders/s, p50 {percentile(batches, 0.5):.1f} ms, p99 {percentile(batches, 0.99):.1f} ms")
    print(f"single orders: p50 {single_ms:.2f} ms (goal <= {SINGLE_GOAL_MS}), p99 {percentile(singles, 0.99):.2f} ms")
    met = rate >= GOAL and single_ms <= SINGLE_GOAL_MS
    print(f"small_orders: {rate:.0f} orders/s (goal >= {GOAL}) {'met' if met else 'missed'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
