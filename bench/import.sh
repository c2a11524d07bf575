#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Import of orders against psql's \copy of the same lines into the same keyed table, interleaved, on a private
# PostgreSQL with its default settings.
#
# AFF_BUILD   build folder with affinityctl (default: build/release, else build/dev)
# AFF_LINES   order lines to generate (default 1000000)
# AFF_ROUNDS  interleaved rounds (default 3); the medians are compared
set -euo pipefail

goal=2.5
lines=${AFF_LINES:-1000000}
rounds=${AFF_ROUNDS:-3}
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

# A shop's year in time order: baskets of about four lines, popular and rare products, 2 % returns.
echo "generating $lines order lines"
awk -v n="$lines" 'BEGIN {
    srand(7)
    print "order_id,customer_id,ordered_at,product_id,quantity,unit_price"
    left = 0
    for (i = 0; i < n; i++) {
        if (left == 0) {
            left = 1 + int(-3.2 * log(1 - rand()))
            order++
            customer = rand() < 0.15 ? "" : "K" int(50000 * rand() * rand())
            at = strftime("%Y-%m-%dT%H:%M:%SZ", 1609459200 + int(31536000 * i / n), 1)
        }
        left--
        product = int(20000 * rand() ^ 3)
        quantity = rand() < 0.02 ? -1 : 1 + int(3 * rand() * rand())
        printf "A%d,%s,%s,SKU-%05d,%d,%d.%02d\n", 100000 + order, customer, at, product, quantity,
               1 + product % 90, product % 100
    }
}' >"$work/orders.csv"

create empty template0
AFFINITY_DATABASE_URL=$(url empty) "$ctl" migrate up >/dev/null
create filled empty
AFFINITY_DATABASE_URL=$(url filled) "$ctl" import orders --quiet "$work/orders.csv" >/dev/null
columns="store, order_key, line, product, customer, ordered_at, quantity, returned, unit_price, unit_cost, discounted"
sql filled "\\copy (SELECT $columns FROM affinity.order_line ORDER BY ordered_at, order_key, line) TO '$work/lines.csv' (FORMAT csv)"
create copied empty
sql copied "CREATE TABLE copied (LIKE affinity.order_line INCLUDING DEFAULTS INCLUDING CONSTRAINTS)" \
    "ALTER TABLE copied ADD PRIMARY KEY (store, order_key, line)"

imports=() copies=()
for round in $(seq "$rounds"); do
    create imported empty
    sql copied "TRUNCATE copied" "CHECKPOINT"
    from=$(now_ms)
    AFFINITY_DATABASE_URL=$(url imported) "$ctl" import orders --quiet "$work/orders.csv" >"$work/report"
    imports+=($(($(now_ms) - from)))
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
