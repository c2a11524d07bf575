#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Requests a second of /recommend with sessions and baskets in memory, as a share of a bare libmicrohttpd that answers
the same bytes.

As bench/serving.py, with 1 M customers, 1 M sessions and 250,000 baskets in memory. Two questions: a cart of five of a known
customer, and a known customer alone; each with the default weights and with weights that leave no source out. All four count.
"""

import argparse
import os
import pathlib
import sys
import tempfile

import serving

GOAL = 0.25


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="pairs of runs that count (default 9)")
    parser.add_argument("--seconds", type=int, default=2, help="length of one run (default 2)")
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    build = pathlib.Path(os.environ.get("AFF_BUILD", "build/release"))
    host, floor = build / "bench" / "serving_host", build / "bench" / "http_floor"
    reached = {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "wrk.lua").write_text(serving.LUA)
        for weights in ("sources", "all"):
            port = serving.free_port()
            process = serving.start([host, port, weights], 0)
            print({"sources": "default weights", "all": "all sources"}[weights], flush=True)
            try:
                for case in ("known", "customer"):
                    reached[weights, case] = serving.measure(case, host, floor, process, port, folder, options)
            finally:
                process.terminate()
                process.wait()
    met = min(reached.values()) >= GOAL
    print(f"sources_http: cart of a known customer {reached['sources', 'known']:.2f}, all on {reached['all', 'known']:.2f}; "
          f"customer {reached['sources', 'customer']:.2f}, all on {reached['all', 'customer']:.2f} of the floor "
          f"(goal >= {GOAL:.2f}) {'met' if met else 'missed'}")
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
