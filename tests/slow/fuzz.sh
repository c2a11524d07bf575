#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzz target over its seed corpus and then for some time on inputs of its own. What breaks a target is
# kept in build/fuzz-findings; put it into tests/fuzz/corpus/PARSER once it is understood.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [[ ${1:-} == --help ]]; then
    echo "Usage: tests/slow/run fuzz [SECONDS]   (each target; default 60)"
    exit 0
fi
build=""
if [[ ${1:-} == --build ]]; then
    build=$2
    shift 2
fi
seconds=${1:-60}

if [[ -z $build ]]; then
    build=build/fuzz
    scripts/packages.sh install build test
    cmake --preset fuzz -Wno-dev >/dev/null
    cmake --build --preset fuzz --target fuzz_all -j "$(nproc)" >/dev/null
fi
findings=$PWD/build/fuzz-findings
mkdir -p "$findings"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fuzz_one TARGET: its output goes to a log that is shown when the target fails.
fuzz_one() {
    local name corpus
    name=$(basename "$1")
    corpus=tests/fuzz/corpus/${name#fuzz_}
    mkdir -p "$work/$name" "$corpus"
    if "$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 \
        -artifact_prefix="$findings/$name-" "$work/$name" "$corpus" >"$work/$name.log" 2>&1; then
        printf '%-16s %s runs, %s seeds\n' "$name" \
            "$(awk '/number_of_executed_units/ { print $2 }' "$work/$name.log")" "$(find "$corpus" -type f | wc -l)"
    else
        tail -n 40 "$work/$name.log"
        echo "$name broke; the input is in $findings"
        return 1
    fi
}

targets=0 broken=0
for target in "$build"/tests/fuzz/fuzz_*; do
    [[ -f $target && -x $target ]] || continue
    targets=$((targets + 1))
    fuzz_one "$target" || broken=$((broken + 1))
done
verdict=met
if ((targets == 0 || broken > 0)); then verdict=missed; fi
echo "fuzz: $broken of $targets targets broken after $seconds s each (goal 0) $verdict"
[[ $verdict == met ]]
