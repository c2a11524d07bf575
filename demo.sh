#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A shop to try: installs what is missing, builds, learns a store in a PostgreSQL of its own and serves it.
set -euo pipefail
cd "$(dirname "$0")"

usage() {
    cat <<'TEXT'
Usage: ./demo.sh [--data DIR] [--port N] [--background] [--reset] | --stop | --env | --help

Starts affinityd on 127.0.0.1:8080 with a generated demo store, and prints what to try. Ctrl-C stops everything.
What was learned is kept in ./.demo, so that the next start is quick.

  --data DIR     import the files in DIR instead: order_lines.csv.gz, and products.csv.gz, customers.csv.gz and
                 import.conf if they are there (also .csv and .csv.zst)
  --port N       port of the service (default 8080)
  --background   return when the service is ready; --stop ends it
  --reset        forget what is there first
  --stop         stop the service and its PostgreSQL
  --env          print AFFINITY_URL= and AFFINITY_DATABASE_URL= of the running demo

  DEMO_DIR       folder for all that the demo keeps (default: ./.demo, or below $XDG_STATE_HOME if that
                 cannot be written)
  DEMO_LINES     order lines of the generated store (default 200000)
  AFF_BUILD      build folder to use as it is (default: build/demo, brought up to date)

Examples:
  ./demo.sh --background && ./demo.sh --env && ./demo.sh --stop
  ./demo.sh --reset --background --data ../shared/data/online_retail
TEXT
}

fail() {
    printf 'demo.sh: %s\n' "$*" >&2
    exit 1
}

say() {
    printf '%s\n' "$*"
}

data="" port="" background=no reset=no action=start
while (($# > 0)); do
    case $1 in
    --data) data=${2:?demo.sh: --data wants a folder} && shift ;;
    --port) port=${2:?demo.sh: --port wants a number} && shift ;;
    --background) background=yes ;;
    --reset) reset=yes ;;
    --stop) action=stop ;;
    --env) action="env" ;;
    --help | -h)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
    shift
done
if [[ -n $port && ! ($port =~ ^[1-9][0-9]{0,4}$ && $port -le 65535) ]]; then
    fail "--port wants a number from 1 to 65535, not '$port'"
fi
if [[ -n $data ]]; then
    [[ -d $data ]] || fail "--data: there is no folder $data"
    data=$(realpath "$data")
fi

state=${DEMO_DIR:-.demo}
if [[ -z ${DEMO_DIR:-} && ! -w . ]]; then state=${XDG_STATE_HOME:-$HOME/.local/state}/affinityd-demo; fi
mkdir -p "$state"
state=$(realpath "$state")
build=${AFF_BUILD:-build/demo}
store=main

postgres() {
    tests/support/private_postgres.sh "$1" "$state/postgres" "${@:2}"
}

# Process id of the demo's service, if it runs. A stale file must not name a stranger.
service_pid() {
    local pid
    pid=$(cat "$state/affinityd.pid" 2>/dev/null) || return 1
    [[ -n $pid && $(readlink "/proc/$pid/exe" 2>/dev/null) == */affinityd* ]] && echo "$pid"
}

stop_service() {
    local pid tenths
    if pid=$(service_pid); then
        kill -TERM "$pid" 2>/dev/null || true
        for ((tenths = 0; tenths < 300; tenths++)); do
            service_pid >/dev/null || break
            sleep 0.1
        done
        if service_pid >/dev/null; then kill -KILL "$pid" 2>/dev/null || true; fi
    fi
    rm -f "$state/affinityd.pid"
}

stop_all() {
    stop_service
    if [[ -d $state/postgres ]]; then postgres stop; fi
}

service_url() {
    echo "http://127.0.0.1:$(cat "$state/port")"
}

database_url() {
    postgres url affinity
}

port_taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# query SQL: rows of the demo's database, fields separated by tabs.
query() {
    psql "$(database_url)" -XqAt -F $'\t' -v ON_ERROR_STOP=1 -c "$1"
}

ctl() {
    AFFINITY_DATABASE_URL=$(database_url) "$build/affinityctl" "$@"
}

build_programs() {
    if [[ -n ${AFF_BUILD:-} ]]; then return; fi
    scripts/packages.sh install build database demo
    mkdir -p build
    say "building"
    if ! { cmake --preset release -B "$build" -DAFF_TESTS=OFF -DAFF_BENCH=OFF -DAFF_WERROR=OFF -Wno-dev &&
        cmake --build "$build" -j "$(nproc)" --target affinityd affinityctl; } >"$state/build.log" 2>&1; then
        tail -n 30 "$state/build.log" >&2
        fail "the build failed; all of it is in $state/build.log"
    fi
}

start_database() {
    postgres start --tcp >/dev/null
    if [[ $(psql "$(postgres url)" -XAtc "SELECT 1 FROM pg_database WHERE datname = 'affinity'") != 1 ]]; then
        psql "$(postgres url)" -Xqc 'CREATE DATABASE affinity'
        rm -f "$state/loaded"
    fi
    ctl migrate up
}

# The file of $folder that holds $1, whatever its compression; nothing if there is none.
file_of() {
    local name
    for name in "$1.csv.gz" "$1.csv.zst" "$1.csv"; do
        if [[ -f $folder/$name ]]; then
            echo "$folder/$name"
            return
        fi
    done
}

import_one() {
    local what=$1 file=$2 status=0
    [[ -n $file ]] || return 0
    ctl import "$what" --rejects "$state/$what.rejects.csv" "$file" || status=$?
    if ((status == 3)); then
        say "some lines of $file were rejected; they are in $state/$what.rejects.csv with the reasons"
    elif ((status != 0)); then
        fail "the import of $file failed"
    fi
}

load_store() {
    local folder=$data
    if [[ -z $folder ]]; then
        folder=$state/data
        rm -rf "$folder"
        ctl generate --out "$folder" --lines "${DEMO_LINES:-200000}" --seed 1 || fail "no demo store was generated"
    fi
    local orders
    orders=$(file_of order_lines)
    [[ -n $orders ]] || fail "--data: $folder holds no order_lines.csv.gz"
    # Orders go first: their rules in import.conf name the currency of the store.
    import_one orders "$orders"
    import_one products "$(file_of products)"
    import_one customers "$(file_of customers)"
    ctl rebuild
    printf '%s\n' "$wanted" >"$state/loaded"
}

start_service() {
    say "starting affinityd"
    echo "$port" >"$state/port"
    mkdir -p "$state/snapshots" "$state/spool"
    AFFINITY_SNAPSHOT_DIRECTORY=$state/snapshots AFFINITY_SPOOL_DIRECTORY=$state/spool \
        AFFINITY_DATABASE_URL=$(database_url) AFFINITY_STORE_NAME=$store AFFINITY_HTTP_ADDRESS=127.0.0.1 \
        AFFINITY_HTTP_PORT=$port setsid "$build/affinityd" </dev/null >"$state/affinityd.log" 2>&1 9>&- &
    local pid=$! tenths
    echo "$pid" >"$state/affinityd.pid"
    for ((tenths = 0; tenths < 600; tenths++)); do
        if curl -fs -o /dev/null --noproxy '*' "$(service_url)/health/ready"; then return; fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    tail -n 5 "$state/affinityd.log" >&2
    stop_all
    fail "affinityd did not become ready; its log is $state/affinityd.log"
}

# An id as a part of a URL.
in_url() {
    local LC_ALL=C text=$1 i character
    for ((i = 0; i < ${#text}; i++)); do
        character=${text:i:1}
        case $character in
        [A-Za-z0-9._~-]) printf '%s' "$character" ;;
        *) printf '%%%02X' "'$character" ;;
        esac
    done
}

show_examples() {
    local first="" second="" customer="" url
    url=$(service_url)
    IFS=$'\t' read -r first second < <(query "
        SELECT p.id, o.id
        FROM affinity.store s
        JOIN affinity.neighbour n ON n.store = s.store AND n.relation = 1 AND cardinality(n.others) > 0
        JOIN affinity.product p ON p.store = n.store AND p.product = n.product AND p.available
        JOIN affinity.product o ON o.store = n.store AND o.product = n.others[1] AND o.available
        WHERE s.name = '$store'
        ORDER BY n.orders[1] DESC, p.id LIMIT 1") || true
    if [[ -z $first ]]; then
        # No pair passed the floors: the examples show what is popular.
        IFS=$'\t' read -r first second < <(query "
            SELECT min(id), max(id) FROM (
                SELECT p.id FROM affinity.store s
                JOIN affinity.product_stat t ON t.store = s.store
                JOIN affinity.product p ON p.store = t.store AND p.product = t.product
                WHERE s.name = '$store' ORDER BY t.orders DESC LIMIT 2) AS two") || true
    fi
    read -r customer < <(query "
        SELECT c.id FROM affinity.store s
        JOIN affinity.customer_history h ON h.store = s.store
        JOIN affinity.customer c ON c.store = h.store AND c.customer = h.customer
        WHERE s.name = '$store' ORDER BY h.orders DESC, c.id LIMIT 1") || true
    cat <<TEXT

affinityd serves '$(cat "$state/loaded")' on $url
  health $url/health   metrics $url/metrics   API $url/openapi.yaml
  log    $state/affinityd.log

Try:
  curl -s '$url/recommend?cart=$(in_url "$first")&limit=5'
  curl -s '$url/recommend?customer=$(in_url "$customer")&cart=$(in_url "$first")&cart=$(in_url "$second")&explain=basic'
  curl -s '$url/v1/products/$(in_url "$first")/affinities?relation=together&limit=5'

TEXT
}

# Two demos at once would fight over one folder.
exec 9>"$state/lock"
flock -w 60 9 || fail "another demo.sh is working in $state"

case $action in
stop)
    stop_all
    say "the demo is stopped; what it learned is in $state"
    exit 0
    ;;
env)
    service_pid >/dev/null || fail "the demo is not running; start it with ./demo.sh --background"
    say "AFFINITY_URL=$(service_url)"
    say "AFFINITY_DATABASE_URL=$(database_url)"
    exit 0
    ;;
esac

if [[ $reset == yes ]]; then
    stop_service
    if [[ -d $state/postgres ]]; then postgres remove; fi
    rm -rf "$state/data" "$state/loaded" "$state/snapshots" "$state/spool"
fi
loaded=$(cat "$state/loaded" 2>/dev/null || true)
# Without --data, what is there is served again.
wanted=${data:-${loaded:-demo store}}

if service_pid >/dev/null && [[ $wanted == "$loaded" && ${port:-$(cat "$state/port")} == "$(cat "$state/port")" ]]; then
    show_examples
    say "It was running already; ./demo.sh --stop ends it."
    exit 0
fi
stop_service
port=${port:-8080}
if port_taken "$port"; then fail "port $port of 127.0.0.1 is taken by another program; choose one with --port"; fi

build_programs
# From here on something of ours runs: whatever goes wrong, it is not left behind.
trap 'stop_all' EXIT
trap 'exit 130' INT TERM HUP
start_database 9>&-
if [[ $wanted != "$loaded" ]]; then
    if [[ -n $loaded ]]; then
        say "replacing '$loaded' by '$wanted'"
        psql "$(postgres url)" -Xqc 'DROP DATABASE affinity WITH (FORCE)'
        start_database 9>&-
    fi
    load_store
fi
start_service
show_examples

if [[ $background == yes ]]; then
    trap - EXIT INT TERM HUP
    say "Running in the background; ./demo.sh --stop ends it."
    exit 0
fi
say "Ctrl-C stops everything."
exec 9>&-
status=0
wait "$(cat "$state/affinityd.pid")" || status=$?
# Somebody else's --stop is an end like any other.
if ((status != 0)); then
    tail -n 5 "$state/affinityd.log" >&2
    fail "affinityd ended with status $status; its log is $state/affinityd.log"
fi
