#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What folding costs: one order in stores of 10,000 to 1,000,000 products, and 10,000 queued orders at once.

Three stores in one private PostgreSQL, each product counted with ten others. Orders of four products come one at a time,
by turns into each store; from the commit to the publication of the neighbour rows is one figure, fold and rows. The
medians of the largest and the smallest store are compared: the goal is 1.2 times. Then 10,000 orders are queued in the middle
store and folded: goal 5 s until all are counted.

  --products N,N,N   sizes (default 10000,100000,1000000)
  --rounds N         orders of each store (default 200)
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
POSTGRES = ROOT / "tests" / "support" / "private_postgres.sh"
GOAL_RATIO, GOAL_S, QUEUED = 1.2, 5.0, 10000
DEGREE, APART = 5, 37

STORE = """
INSERT INTO affinity.store (store, name, currency) VALUES ({store}, 'size-{n}', 'EUR');
{partitions}
INSERT INTO affinity.catalogue_state (store) VALUES ({store});
INSERT INTO affinity.product (store, product, id, price) OVERRIDING SYSTEM VALUE
    SELECT {store}, {base} + p, 'P' || p, 1000 FROM generate_series(1, {n}) p;
INSERT INTO affinity.product_stat_s{store} (store, product, orders, weight, revenue, margin, discounted, last_at)
    SELECT {store}, {base} + p, 60, 60 * 524288, 60000, 24000, 0, now() - interval '1 day'
    FROM generate_series(1, {n}) p;
INSERT INTO affinity.product_month_s{store} SELECT {store}, {base} + p, m.months, m.orders FROM generate_series(1, {n}) p,
    (SELECT array_agg(extract(year FROM at)::integer * 12 + extract(month FROM at)::integer - 23641 ORDER BY at) AS months,
    array_agg(3 ORDER BY at) AS orders FROM (SELECT now() - k * interval '1 month' AS at FROM generate_series(1, 20) k) t) m;
INSERT INTO affinity.product_month_s{store} SELECT store, -1, months, (SELECT array_agg({n} * 30 / 20)
    FROM generate_series(1, 20)) FROM affinity.product_month_s{store} WHERE product = {base} + 1;
INSERT INTO affinity.pair_together_s{store} (store, a, b, orders, weight, revenue_a, revenue_b, margin_a, margin_b,
    discounted) SELECT {store}, {base} + p, {base} + p + {apart} * k, 4, 4 * 524288, 4000, 4000, 1600, 1600, 0
    FROM generate_series(1, {n}) p, generate_series(1, {degree}) k WHERE p + {apart} * k <= {n};
INSERT INTO affinity.neighbour_s{store} (store, relation, product, others, scores, orders, weights, revenues, margins,
    discounted, gap_days, residual) SELECT {store}, 1, {base} + p, '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}',
    '{{}}', 30 FROM generate_series(1, {n}) p;
INSERT INTO affinity.state (store, version, published, generation, landmark, half_life_s, window_from, window_to, orders,
    lines, weight, counted_from, settings, rebuilt_at) VALUES ({store}, 1, 1, 1, now(), 15552000,
    now() - interval '700 days', now() - interval '1 day', {n} * 30, {n} * 60, {n} * 60::bigint * 524288,
    now() - interval '730 days', '{{"basket_cap": 512}}', now());
"""
TABLES = ["product_stat", "product_month", "pair_together", "pair_next", "next_stat", "neighbour", "customer_history"]


def run(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, text=True, capture_output=True, **options).stdout


def make_store(url, store, n, base):
    partitions = "".join(
        f"CREATE TABLE affinity.{table}_s{store} PARTITION OF affinity.{table} FOR VALUES IN ({store});"
        for table in TABLES
    )
    run("psql", "-qX", "-v", "ON_ERROR_STOP=1", url,
        input=STORE.format(store=store, n=n, base=base, partitions=partitions, degree=DEGREE, apart=APART))


def fold(build, url, rounds, orders, *stores):
    """Times of each store: put, fold, publish, in seconds."""
    times = {}
    said = run(build / "bench" / "fold_host", url, rounds, orders, *stores)
    for line in said.splitlines():
        if line.startswith("loaded"):
            store, took = line.split()[1:]
            print(f"store {store}: pair counts loaded in {int(took) / 1e6:.2f} s")
        else:
            store, *took = map(int, line.split())
            times.setdefault(store, []).append([t / 1e6 for t in took])
    return times


def median(times, column):
    return statistics.median(column(row) for row in times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", default="10000,100000,1000000")
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    sizes = [int(size) for size in options.products.split(",")]
    build = pathlib.Path(os.environ["AFF_BUILD"])
    with tempfile.TemporaryDirectory(prefix="aff_bench_fold.") as folder:
        postgres = pathlib.Path(folder) / "postgres"
        url = run(POSTGRES, "start", postgres, "--volatile", "--while", os.getpid(), "--", "shared_buffers=512MB",
                  "max_wal_size=4GB").strip()
        try:
            run(build / "affinityctl", "migrate", "up", env={**os.environ, "AFFINITY_DATABASE_URL": url})
            base = 0
            for store, n in enumerate(sizes, 1):
                make_store(url, store, n, base)
                base += n
            run("psql", "-qX", url, "-c", "SELECT setval(pg_get_serial_sequence('affinity.product', 'product'), "
                f"{base})", "-c", "VACUUM ANALYZE")
            stores = [f"{store}:{n}" for store, n in enumerate(sizes, 1)]
            times = fold(build, url, options.rounds, 1, *stores)
            for store, n in enumerate(sizes, 1):
                rows = times[store][len(times[store]) // 10:]
                times[store] = rows
                whole = sorted((row[1] + row[2]) * 1e3 for row in rows)
                print(f"{n:>8} products, 1 order: fold {median(rows, lambda r: r[1]) * 1e3:.2f} ms, rows and publication "
                      f"{median(rows, lambda r: r[2]) * 1e3:.2f} ms, both {statistics.median(whole):.2f} ms "
                      f"({whole[len(whole) // 10]:.2f} to {whole[len(whole) * 9 // 10]:.2f})")
            ratio = median(times[len(sizes)], lambda r: r[1] + r[2]) / median(times[1], lambda r: r[1] + r[2])
            middle = len(sizes) // 2 + 1
            queued = fold(build, url, 1, QUEUED, f"{middle}:{sizes[middle - 1]}")[middle][0]
            print(f"{QUEUED} queued orders: written in {queued[0]:.2f} s, folded in {queued[1]:.2f} s "
                  f"({QUEUED / queued[1]:.0f} orders/s), rows and publication {queued[2]:.2f} s")
        finally:
            subprocess.run([str(POSTGRES), "remove", str(postgres)], capture_output=True)
    met = ratio <= GOAL_RATIO and queued[1] <= GOAL_S
    print(f"fold: {ratio:.2f} times from {sizes[0]} to {sizes[-1]} products, {QUEUED} orders in {queued[1]:.2f} s "
          f"(goal <= {GOAL_RATIO} and <= {GOAL_S:.0f} s) {'met' if met else 'missed'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
