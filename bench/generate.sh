#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Order lines that affinityctl generate writes a second on one processor, uncompressed, with 100,000 products. The disk is
# measured beside it, by a plain copy of the same file: a rate near the copy's is the disk's, not the program's.
#
# AFF_BUILD   build folder with affinityctl (default: build/release)
# AFF_LINES   order lines of each round (default 5000000)
# AFF_ROUNDS  interleaved rounds (default 3); the median counts
set -euo pipefail

goal=1000000
lines=${AFF_LINES:-5000000}
rounds=${AFF_ROUNDS:-3}
root=$(cd "$(dirname "$0")/.." && pwd)
ctl=$(cd "${AFF_BUILD:-$root/build/release}" && pwd)/affinityctl
[ -x "$ctl" ] || { echo "bench/generate.sh: there is no $ctl; build it first" >&2; exit 1; }
work=$(mktemp -d /tmp/aff_bench_generate.XXXXXX)
trap 'rm -rf "$work"' EXIT

now_ms() { echo $(($(date +%s%N) / 1000000)); }
median() { printf '%s\n' "$@" | sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

rates=()
for round in $(seq "$rounds"); do
    from=$(now_ms)
    taskset -c 1 "$ctl" generate --out "$work/store" --lines "$lines" --products 100000 --quiet
    rates+=($((lines * 1000 / ($(now_ms) - from))))
    from=$(now_ms)
    taskset -c 1 cp "$work/store/order_lines.csv" "$work/copy"
    echo "round $round: ${rates[-1]} lines/s; a copy of the file $((lines * 1000 / ($(now_ms) - from + 1))) lines/s"
    rm -rf "$work/store" "$work/copy"
done
rate=$(median "${rates[@]}")
awk -v rate="$rate" -v goal="$goal" 'BEGIN {
    met = rate >= goal
    printf "generate: %d lines/s (goal >= %d lines/s) %s\n", rate, goal, met ? "met" : "missed"
    exit !met
}'
