#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A first import of orders against psql's \copy of the same lines into an identical keyed table, interleaved, on a
# private PostgreSQL with its default settings.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: bench/import.sh [--lines N] [--rounds N]

Generates a store, imports its orders, and compares with \copy of what the import stored. The goal is a ratio of
2.5; the exit status is 1 when it is missed.

  --lines N    order lines to generate (default: 10000000, about three minutes a round on two processors)
  --rounds N   imports and copies, by turns (default: 1); the medians, of two the faster ones, are compared

AFF_BUILD names the build folder with affinityctl (default: build/release, else build/dev); AFF_LINES and AFF_ROUNDS
stand for the options.

Example:
  bench/import.sh --lines 2000000 --rounds 3
TEXT
}

goal=2.5
lines=${AFF_LINES:-10000000}
rounds=${AFF_ROUNDS:-1}
while (($# > 0)); do
    case $1 in
    --lines) lines=${2:?--lines wants a number} && shift ;;
    --rounds) rounds=${2:?--rounds wants a number} && shift ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
    esac
    shift
done
root=$(cd "$(dirname "$0")/.." && pwd)
build=${AFF_BUILD:-$root/build/release}
[ -n "${AFF_BUILD:-}" ] || [ -x "$build/affinityctl" ] || build=$root/build/dev
ctl=$(cd "$build" && pwd)/affinityctl
[ -x "$ctl" ] || { echo "bench/import.sh: there is no $ctl; build it first" >&2; exit 1; }
postgres=$root/tests/support/private_postgres.sh

work=$(mktemp -d /tmp/aff_bench_import.XXXXXX)
chmod 755 "$work"
trap '"$postgres" remove "$work/pg" >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
"$postgres" start "$work/pg" --while $$ >/dev/null

url() { "$postgres" url "$work/pg" "$1"; }
sql() { # database, statements...
    local database=$1 arguments=()
    shift
    for statement in "$@"; do arguments+=(-c "$statement"); done
    psql -Xq "$(url "$database")" "${arguments[@]}"
}
create() { sql postgres "CREATE DATABASE $1 TEMPLATE $2"; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
median() { printf '%s\n' "$@" | sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

"$ctl" generate --quiet --out "$work/shop" --lines "$lines"
create empty template0
AFFINITY_DATABASE_URL=$(url empty) "$ctl" migrate up >/dev/null
create copied empty
sql copied "CREATE TABLE copied (LIKE affinity.order_line INCLUDING ALL)"
columns="store, order_key, line, product, customer, ordered_at, quantity, returned, unit_price, unit_cost, discounted"

imports=() copies=()
for round in $(seq "$rounds"); do
    create imported empty
    sql copied "TRUNCATE copied" "CHECKPOINT"
    from=$(now_ms)
    AFFINITY_DATABASE_URL=$(url imported) "$ctl" import orders --quiet "$work/shop/order_lines.csv" >"$work/report"
    imports+=($(($(now_ms) - from)))
    [ -f "$work/lines.csv" ] ||
        sql imported "\\copy (SELECT $columns FROM affinity.order_line ORDER BY ordered_at, order_key, line) TO '$work/lines.csv' (FORMAT csv)"
    sql imported "CHECKPOINT"
    from=$(now_ms)
    sql copied "\\copy copied ($columns) FROM '$work/lines.csv' (FORMAT csv)"
    copies+=($(($(now_ms) - from)))
    echo "round $round: import ${imports[-1]} ms, \\copy ${copies[-1]} ms"
    sql postgres "DROP DATABASE imported"
done
import_ms=$(median "${imports[@]}")
copy_ms=$(median "${copies[@]}")
echo "import $((lines * 1000 / import_ms)) lines/s, \\copy $((lines * 1000 / copy_ms)) lines/s"
awk -v a="$import_ms" -v b="$copy_ms" -v goal="$goal" 'BEGIN {
    met = a / b <= goal
    printf "import: %.2f (goal <= %s) %s\n", a / b, goal, met ? "met" : "missed"
    exit !met
}'
