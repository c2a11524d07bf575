#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A full rebuild without ridge, read to swap, against COPY ... TO STDOUT of the same lines to nowhere, interleaved, on
# a private PostgreSQL.
#
# AFF_BUILD   build folder with affinityctl (default: build/release)
# LINES       order lines to generate (default 10000000)
# ROUNDS      interleaved rounds (default 3); the medians are compared
# METHOD      how neighbours are scored (default cosine; ridge has a benchmark of its own)
# SETTINGS    of the server (default "shared_buffers=512MB max_wal_size=4GB")
set -euo pipefail

goal=12
lines=${LINES:-10000000}
rounds=${ROUNDS:-3}
method=${METHOD:-cosine}
read -r -a settings <<<"${SETTINGS-shared_buffers=512MB max_wal_size=4GB}"
root=$(cd "$(dirname "$0")/.." && pwd)
ctl=${AFF_BUILD:-$root/build/release}/affinityctl
[[ -x $ctl ]] || { echo "bench/rebuild.sh: there is no $ctl; build it first" >&2; exit 2; }

work=$(mktemp -d /tmp/aff_bench_rebuild.XXXXXX)
trap '"$root/tests/support/private_postgres.sh" remove "$work/postgres" >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
url=$("$root/tests/support/private_postgres.sh" start "$work/postgres" --while $$ -- "${settings[@]}")
export AFFINITY_DATABASE_URL=$url

now_ms() { echo $(($(date +%s%N) / 1000000)); }
median() { printf '%s\n' "$@" | sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

echo "generating and importing $lines order lines; server: ${settings[*]}"
"$ctl" generate --out "$work/store" --lines "$lines" --quiet
"$ctl" migrate up >/dev/null
for what in products customers orders; do
    file=$what.csv
    [[ $what != orders ]] || file=order_lines.csv
    (cd "$work/store" && "$ctl" import "$what" --quiet "$file" >/dev/null)
done
rm -r "$work/store"
psql -qX "$url" -c "VACUUM ANALYZE"

copy="COPY (SELECT order_key, product, customer, ordered_at, quantity - returned, unit_price, unit_cost, discounted
FROM affinity.order_line WHERE quantity > returned) TO STDOUT (FORMAT binary)"
rebuilds=() copies=()
for round in $(seq "$rounds"); do
    psql -qX "$url" -c CHECKPOINT
    from=$(now_ms)
    psql -qX "$url" -c "$copy" >/dev/null
    copies+=($(($(now_ms) - from)))
    from=$(now_ms)
    "$ctl" rebuild --quiet --method "$method" >"$work/report"
    rebuilds+=($(($(now_ms) - from)))
    echo "round $round: COPY ${copies[-1]} ms, rebuild ${rebuilds[-1]} ms"
done
cat "$work/report"
awk -v a="$(median "${rebuilds[@]}")" -v b="$(median "${copies[@]}")" -v goal="$goal" 'BEGIN {
    met = a / b <= goal
    printf "rebuild: %.2f times COPY (goal <= %s) %s\n", a / b, goal, met ? "met" : "missed"
    exit !met
}'
