#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Behind bench/run and tests/slow/run: finds what FOLDER has by a name, runs it and holds it to the form of its last
# line, "NAME: FIGURE (goal GOAL) met" or "missed".
set -euo pipefail

folder=$1 program=$2
shift 2
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
export AFFINITY_TUNE_AFTER_REBUILD=false # what is measured says itself when weights are fitted

usage() {
    cat <<TEXT
Usage: $program NAME [ARGUMENT...] | --list | --help

Runs $folder/NAME.sh, $folder/NAME.py or the program built from $folder/NAME.c, and builds the release programs first
where they are missing or older than the sources. It prints figures and, last, "NAME: FIGURE (goal GOAL) met" or
"missed". Exit status 0 only when the goal is met.

  --list      the names
  AFF_BUILD   build folder to use as it is (default: build/release, brought up to date)

Example:
  $program $(names | head -n 1)
TEXT
}

names() {
    find "$folder" -maxdepth 1 -type f \( -name '*.sh' -o -name '*.py' -o -name '*.c' \) -printf '%f\n' |
        sed 's/\.[a-z]*$//' | sort -u
}

case ${1:-} in
--list)
    names
    exit 0
    ;;
--help | -h)
    usage
    exit 0
    ;;
"" | -*)
    usage >&2
    exit 2
    ;;
esac
name=$1
shift
if ! names | grep -qxF -- "$name"; then
    echo "$program: there is no '$name'; --list shows what there is" >&2
    exit 2
fi

if [[ -z ${AFF_BUILD:-} ]]; then
    scripts/packages.sh install build database bench >&2
    mkdir -p build
    if ! { cmake --preset release -Wno-dev && cmake --build --preset release -j "$(nproc)"; } >build/release.log 2>&1; then
        tail -n 30 build/release.log >&2
        echo "$program: the release build failed (build/release.log)" >&2
        exit 1
    fi
    AFF_BUILD=$root/build/release
fi
AFF_BUILD=$(cd "$AFF_BUILD" && pwd)
export AFF_BUILD

if [[ -f $folder/$name.sh ]]; then
    command=(bash "$folder/$name.sh")
elif [[ -f $folder/$name.py ]]; then
    command=(/usr/bin/python3 "$folder/$name.py")
else
    command=("$(find "$AFF_BUILD" -maxdepth 3 -type f -name "bench_$name" -perm -u+x | head -n 1)")
    if [[ -z ${command[0]} ]]; then
        echo "$program: $folder/$name.c is not built in $AFF_BUILD" >&2
        exit 1
    fi
fi

output=$(mktemp)
trap 'rm -f "$output"' EXIT
status=0
"${command[@]}" "$@" | tee "$output" || status=$?
last=$(tail -n 1 "$output")
if [[ ! $last =~ ^"$name":\ .+\ \(goal\ .+\)\ (met|missed)$ ]]; then
    echo "$program: $name ended with status $status and without 'NAME: FIGURE (goal GOAL) met|missed' as its last line" >&2
    exit 1
fi
if [[ ${BASH_REMATCH[1]} == met ]] && ((status == 0)); then exit 0; fi
exit 1
