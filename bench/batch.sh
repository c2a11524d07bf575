#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Queries a second of `affinityctl recommend --batch` with carts of five, from reading JSON to writing it, on a generated
# store in a private PostgreSQL. The time to load the store is measured with an empty batch and taken off.
#
# AFF_BUILD   build folder with affinityctl (default: build/release)
# LINES       order lines to generate (default 2000000)
# QUERIES     queries of one run (default 400000)
# ROUNDS      runs that count (default 5); the median counts
set -euo pipefail

goal=20000
lines=${LINES:-2000000}
queries=${QUERIES:-400000}
rounds=${ROUNDS:-5}
root=$(cd "$(dirname "$0")/.." && pwd)
ctl=${AFF_BUILD:-$root/build/release}/affinityctl
[[ -x $ctl ]] || { echo "bench/batch.sh: there is no $ctl; build it first" >&2; exit 2; }

work=$(mktemp -d /tmp/aff_bench_batch.XXXXXX)
trap '"$root/tests/support/private_postgres.sh" remove "$work/postgres" >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
AFFINITY_DATABASE_URL=$("$root/tests/support/private_postgres.sh" start "$work/postgres" --while $$ --volatile)
export AFFINITY_DATABASE_URL

now_ms() { echo $(($(date +%s%N) / 1000000)); }
median() { printf '%s\n' "$@" | sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

echo "generating, importing and learning $lines order lines"
"$ctl" generate --out "$work/store" --lines "$lines" --quiet
"$ctl" migrate up >/dev/null
for what in products customers; do
    (cd "$work/store" && "$ctl" import "$what" --quiet "$what.csv" >/dev/null)
done
(cd "$work/store" && "$ctl" import orders --quiet order_lines.csv >/dev/null)
"$ctl" rebuild --quiet >/dev/null
awk -F, -v n="$queries" 'NR > 1 { product[NR - 1] = $4 } END {
    srand(1)
    for (q = 0; q < n; q++) {
        cart = ""
        for (i = 0; i < 5; i++) cart = cart (i ? "," : "") "\"" product[1 + int(rand() * (NR - 1))] "\""
        printf "{\"query_id\":\"q%d\",\"cart\":[%s]}\n", q, cart
    }
}' "$work/store/order_lines.csv" >"$work/queries.jsonl"
: >"$work/none.jsonl"

rates=()
for round in $(seq "$rounds"); do
    from=$(now_ms)
    "$ctl" recommend --batch "$work/none.jsonl" --quiet >/dev/null
    between=$(now_ms)
    "$ctl" recommend --batch "$work/queries.jsonl" --limit 10 --quiet >"$work/answers.jsonl"
    load=$((between - from))
    rates+=($((queries * 1000 / ($(now_ms) - between - load))))
    [[ $(wc -l <"$work/answers.jsonl") == "$queries" ]] || { echo "bench/batch.sh: answers are missing" >&2; exit 1; }
    echo "round $round: ${rates[-1]} queries/s; loading took $load ms"
done
awk -v rate="$(median "${rates[@]}")" -v goal="$goal" 'BEGIN {
    met = rate >= goal
    printf "batch: %d queries/s (goal >= %d queries/s) %s\n", rate, goal, met ? "met" : "missed"
    exit !met
}'
