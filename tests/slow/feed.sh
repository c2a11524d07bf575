#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Random streams of orders through intake, folds and rebuilds, each compared with a full count and with a store into which
# each order came once, final, in order; then streams of six writers with late commits and rollbacks.
#
# SEEDS     streams of one writer (default 50)
# ORDERS    orders of each (default 20000)
# WRITERS   streams of six writers (default 10, of a quarter of the orders)
set -euo pipefail

seeds=${SEEDS:-50} orders=${ORDERS:-20000} writers=${WRITERS:-10}
root=$(cd "$(dirname "$0")/../.." && pwd)
ctl=${AFF_BUILD:-$root/build/release}/affinityctl
work=$(mktemp -d /tmp/aff_slow_feed.XXXXXX)
trap '"$root/tests/support/private_postgres.sh" remove "$work/postgres" >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
AFFINITY_DATABASE_URL=$("$root/tests/support/private_postgres.sh" start "$work/postgres" --volatile --while $$)
export AFFINITY_DATABASE_URL
"$ctl" migrate up >/dev/null

stream=(--shuffle --dup 0.05 --refund 0.1 --edit 0.1 --cancel 0.03 --quiet)
run=0 different=0
one() {
    run=$((run + 1))
    if "$ctl" verify "${stream[@]}" "$@" >"$work/out" 2>&1; then
        printf '%s: %s\n' "$*" "$(grep ' events in ' "$work/out" | sed 's/; against.*//')"
    else
        different=$((different + 1))
        printf '%s: different\n' "$*"
        cat "$work/out"
    fi
}
for seed in $(seq "$seeds"); do
    # Every third stream with a low cap, so that truncated baskets occur in number.
    cap=512
    if ((seed % 3 == 0)); then cap=8; fi
    one --orders "$orders" --seed "$seed" --set "learn.basket_cap=$cap"
done
for seed in $(seq "$writers"); do
    one --orders "$((orders / 4))" --writers 6 --seed "$seed" --edit 0.2
done
verdict=met
if ((different > 0)); then verdict=missed; fi
echo "feed: $different of $run streams different (goal 0) $verdict"
[[ $verdict == met ]]
