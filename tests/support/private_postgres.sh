#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A PostgreSQL cluster of our own in a folder, for tests, benchmarks and the demo. It never touches another one:
# everything goes through the folder's own data directory, socket directory and port.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: private_postgres.sh start FOLDER [OPTION...] [-- SETTING=VALUE...]
       private_postgres.sh stop|remove|status FOLDER
       private_postgres.sh url FOLDER [DATABASE]

start    creates the cluster if the folder holds none, starts it if it is not running, prints its URL
stop     stops it and keeps the data
remove   stops it and deletes its data, and the folder if nothing else is in it
status   exit status 0 when it is running
url      prints a libpq URI (database: postgres)

Options of start:
  --tcp         listens on 127.0.0.1, too, with a password that is part of the URL (default: socket only)
  --port N      port (default: a free one)
  --volatile    no fsync: faster, for data that may be lost with the machine
  --while PID   stops and removes the cluster when the process PID is gone
Settings after -- go into postgresql.conf, for example work_mem=64MB.

As root, the server runs as user postgres, else nobody. PG_BIN names the folder of initdb and pg_ctl (default: the
newest below /usr/lib/postgresql).

Example:
  url=$(private_postgres.sh start /tmp/mine --volatile) && psql "$url" -c 'SELECT 1'; private_postgres.sh remove /tmp/mine
TEXT
}

fail() {
    printf 'private_postgres.sh: %s\n' "$*" >&2
    exit 1
}

find_programs() {
    if [[ -z ${PG_BIN:-} ]]; then
        PG_BIN=$(find /usr/lib/postgresql -maxdepth 3 -name pg_ctl -printf '%h\n' 2>/dev/null | sort -V | tail -n 1)
    fi
    [[ -n $PG_BIN && -x $PG_BIN/pg_ctl ]] || fail "no initdb and pg_ctl below /usr/lib/postgresql; install 'postgresql'"
}

# The user that the server runs as; empty: the present one.
server_user=""
if [[ $(id -u) == 0 ]]; then
    server_user=nobody
    if id postgres >/dev/null 2>&1; then server_user=postgres; fi
fi

as_server() {
    if [[ -n $server_user ]]; then
        (cd / && exec runuser -u "$server_user" -- "$@")
    else
        (cd / && exec "$@")
    fi
}

# Where data and sockets are: the folder's own `where` file says so, since neither need be below the folder
# (sockets have short paths only, and the server's user may not be allowed to enter the folder).
load() {
    [[ -f $folder/where ]] || return 1
    mapfile -t lines <"$folder/where"
    data=${lines[0]} sockets=${lines[1]} port=${lines[2]} tcp=${lines[3]} password=${lines[4]}
}

running() {
    load && [[ -d $data ]] && as_server "$PG_BIN/pg_ctl" status -D "$data" >/dev/null 2>&1
}

print_url() {
    local database=${1:-postgres}
    if [[ $tcp == yes ]]; then
        printf 'postgresql://affinity:%s@127.0.0.1:%s/%s\n' "$password" "$port" "$database"
    else
        printf 'postgresql://affinity@/%s?host=%s&port=%s\n' "$database" "${sockets//\//%2F}" "$port"
    fi
}

# A TCP port that nobody listens on, beginning at a random one below the range of outgoing connections.
free_port() {
    local candidate try
    for ((try = 0; try < 100; try++)); do
        candidate=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$candidate") 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    fail "found no free port"
}

# A new folder for the sockets at every start: an old name below /tmp could be somebody else's by now. The `where`
# file is written before anything else can fail, so that `remove` finds all there is.
renew_sockets() {
    sockets=$(mktemp -d /tmp/affinity-socket.XXXXXX)
    if [[ -n $server_user ]]; then chown "$server_user" "$sockets"; fi
    (umask 077 && printf '%s\n' "$data" "$sockets" "$port" "$tcp" "$password" >"$folder/where")
}

create() {
    mkdir -p "$folder"
    data=$folder/data
    if [[ -n $server_user ]] && ! as_server test -x "$folder"; then
        data=$(mktemp -d /var/tmp/affinity-postgres.XXXXXX)/data
        chown "$server_user" "${data%/data}"
    fi
    mkdir -m 700 "$data"
    if [[ -n $server_user ]]; then chown "$server_user" "$data"; fi
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    [[ -n $port ]] || port=$(free_port)
    renew_sockets
    local password_file=$sockets/password
    (umask 077 && printf '%s\n' "$password" >"$password_file")
    if [[ -n $server_user ]]; then chown "$server_user" "$password_file"; fi
    local created=yes
    as_server "$PG_BIN/initdb" -D "$data" -U affinity --pwfile="$password_file" --auth-local=trust \
        --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-sync --no-instructions \
        >"$folder/initdb.log" 2>&1 || created=no
    rm -f "$password_file"
    [[ $created == yes ]] || fail "initdb failed: $(tail -n 3 "$folder/initdb.log")"
    # Members of this role must give their password even on the socket: for tests of wrong passwords.
    printf 'local all +password_users scram-sha-256\n%s\n' "$(cat "$data/pg_hba.conf")" >"$data/pg_hba.conf"
}

configure() {
    {
        printf "port = %s\nunix_socket_directories = '%s'\nunix_socket_permissions = 0700\n" "$port" "$sockets"
        printf "listen_addresses = '%s'\n" "$([[ $tcp == yes ]] && echo 127.0.0.1)"
        printf "max_connections = 100\nshared_buffers = 128MB\nmax_wal_size = 4GB\ncheckpoint_timeout = 30min\n"
        printf "log_line_prefix = '%%m [%%p] %%a '\ntimezone = 'UTC'\n"
        if [[ $volatile == yes ]]; then printf "fsync = off\nfull_page_writes = off\nsynchronous_commit = off\n"; fi
        local setting
        for setting in "$@"; do printf "%s = '%s'\n" "${setting%%=*}" "${setting#*=}"; done
    } >"$data/affinity.conf"
    grep -q '^include .affinity.conf.' "$data/postgresql.conf" || echo "include 'affinity.conf'" >>"$data/postgresql.conf"
    if [[ -n $server_user ]]; then chown "$server_user" "$data/affinity.conf"; fi
}

# Waits in the background for the end of process $1, then removes the cluster.
watch_process() {
    # The loop must not hold the pipes of the caller open.
    # shellcheck disable=SC2016 # the inner shell expands its own arguments
    setsid bash -c 'while kill -0 "$1" 2>/dev/null && [[ -f $2/where ]]; do sleep 1; done; exec "$0" remove "$2"' \
        "$self" "$1" "$folder" </dev/null >/dev/null 2>&1 &
}

start() {
    local port="" tcp=no volatile=no watched=""
    while (($# > 0)); do
        case $1 in
        --tcp) tcp=yes ;;
        --port) port=${2:?--port wants a number} && shift ;;
        --volatile) volatile=yes ;;
        --while) watched=${2:?--while wants a process id} && shift ;;
        --) shift && break ;;
        *) fail "there is no option '$1'" ;;
        esac
        shift
    done
    if ! running; then
        if load && [[ -d $data ]]; then
            renew_sockets
        else
            create
        fi
        configure "$@"
        local log=${data%/data}/postgres.log
        if [[ -n $server_user ]]; then touch "$log" && chown "$server_user" "$log"; fi
        as_server "$PG_BIN/pg_ctl" start -D "$data" -l "$log" -w -t 60 -s </dev/null >/dev/null 2>&1 ||
            fail "PostgreSQL does not start: $(tail -n 3 "$log")"
    fi
    if [[ -n $watched ]]; then watch_process "$watched"; fi
    print_url
}

stop() {
    load || return 0
    if running; then
        as_server "$PG_BIN/pg_ctl" stop -D "$data" -m fast -w -t 30 -s >/dev/null 2>&1 ||
            as_server "$PG_BIN/pg_ctl" stop -D "$data" -m immediate -w -t 30 -s
    fi
    rm -rf "$sockets"
}

remove() {
    load || return 0
    stop
    rm -rf "$data"
    # Only what create() made outside of the folder.
    if [[ $data == /var/tmp/affinity-postgres.* ]]; then rm -rf "${data%/data}"; fi
    rm -f "$folder/where" "$folder/initdb.log" "$folder/postgres.log"
    rmdir --ignore-fail-on-non-empty "$folder"
}

if [[ ${1:-} == --help || ${1:-} == -h ]]; then
    usage
    exit 0
fi
if (($# < 2)); then
    usage >&2
    exit 2
fi
action=$1
self=$(readlink -f "$0")
folder=$(readlink -m "$2")
shift 2
find_programs
case $action in
start) start "$@" ;;
stop) stop ;;
remove) remove ;;
status) running ;;
url)
    load || fail "there is no cluster in $folder"
    print_url "${1:-postgres}"
    ;;
*)
    usage >&2
    exit 2
    ;;
esac
