#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Debian packages that a purpose needs, from docker/packages.txt.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
list=${PACKAGES_FILE:-$here/../docker/packages.txt}

usage() {
    cat <<'TEXT'
Usage: packages.sh list|missing|install SECTION...

list      prints the packages of the sections (build, run, database, demo, test, bench)
missing   prints those that are not installed
install   installs those with apt, as root or with sudo; does nothing when none is missing

Example:
  scripts/packages.sh install build database
TEXT
}

list_packages() {
    local section
    for section in "$@"; do
        grep -qx "\[$section\]" "$list" || {
            echo "packages.sh: $list has no section [$section]" >&2
            exit 2
        }
        awk -v section="[$section]" '/^\[/ { on = $0 == section; next } on && NF && !/^#/ { print $1 }' "$list"
    done | sort -u
}

missing_packages() {
    local package
    list_packages "$@" | while read -r package; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
    done
}

as_root() {
    if [[ $(id -u) == 0 ]]; then
        "$@"
    else
        sudo "$@"
    fi
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

# Debian makes and starts a cluster on port 5432 when PostgreSQL is installed. Nobody asked for one: ours are private.
install_without_cluster() {
    local setting=/etc/postgresql-common/createcluster.d/zz-affinity.conf status=0
    apt_install postgresql-common
    echo 'create_main_cluster = false' | as_root tee "$setting" >/dev/null
    apt_install "$@" || status=$?
    as_root rm -f "$setting"
    return "$status"
}

install_packages() {
    local missing
    mapfile -t missing < <(missing_packages "$@")
    if ((${#missing[@]} == 0)); then return; fi
    if [[ $(id -u) != 0 ]] && ! command -v sudo >/dev/null; then
        echo "packages.sh: run as root, or have root run: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    echo "installing ${missing[*]}"
    as_root apt-get update -q
    if [[ " ${missing[*]} " == *" postgresql "* ]]; then
        install_without_cluster "${missing[@]}"
    else
        apt_install "${missing[@]}"
    fi
}

case ${1:-} in
--help | -h) usage ;;
list) shift && list_packages "$@" ;;
missing) shift && missing_packages "$@" ;;
install) shift && install_packages "$@" ;;
*)
    usage >&2
    exit 2
    ;;
esac
