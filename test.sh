#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds and runs all tests.
set -uo pipefail
cd "$(dirname "$0")" || exit 1

usage() {
    cat <<'TEXT'
Usage: ./test.sh [--quick] [--only STAGE]... [--list] [--help]

Stages, in this order:
  lint         layout of the C code (clang-format 14), shell scripts (shellcheck)
  unit         debug build; unit and property tests (ctest)
  contract     rules of the house, configuration, packaging (pytest)
  integration  programs against a private PostgreSQL (pytest)
  asan         address and undefined-behaviour sanitizer: unit, property and integration tests
  tsan         thread sanitizer: unit and property tests
  fuzz         every fuzz target over its corpus and for a few seconds (FUZZ_S=5)
  tidy         clang-tidy 14 over the libraries; takes minutes, so it runs only when named

  --quick       without asan, tsan and fuzz
  --only STAGE  only this stage; may be repeated

What every runner said is kept in build/test-logs. Exit status 0 only when all stages passed.
TEXT
}

stages=(lint unit contract integration asan tsan fuzz tidy)
wanted=(lint unit contract integration asan tsan fuzz)
only=()
while (($# > 0)); do
    case $1 in
    --quick) wanted=(lint unit contract integration) ;;
    --only)
        [[ " ${stages[*]} " == *" ${2:-none} "* ]] || {
            echo "test.sh: --only wants one of: ${stages[*]}" >&2
            exit 2
        }
        only+=("$2")
        shift
        ;;
    --list)
        printf '%s\n' "${stages[@]}"
        exit 0
        ;;
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
if ((${#only[@]} > 0)); then wanted=("${only[@]}"); fi

scripts/packages.sh install build database demo test || exit 1

logs=build/test-logs
mkdir -p "$logs"
jobs=$(nproc)
if command -v ccache >/dev/null && [[ -w ${CCACHE_DIR:-${HOME:-/}} ]]; then export CMAKE_C_COMPILER_LAUNCHER=ccache; fi
# The tests compare answers, they do not measure: one BLAS thread each leaves the processors to parallel tests.
export OPENBLAS_NUM_THREADS=1
# Debian's own Python has the test packages; another one that stands first in the path may not.
python=/usr/bin/python3
results=()
failed=0

# run NAME COMMAND...: runs it, shows and keeps what it prints; the status of the command.
run() {
    local name=$1 status began=$SECONDS
    shift
    printf '\n== %s\n' "$name"
    "$@" 2>&1 | tee "$logs/$name.log"
    status=${PIPESTATUS[0]}
    if ((status != 0)); then failed=1; fi
    printf -- '-- %s: %s after %d s\n' "$name" "$( ((status == 0)) && echo passed || echo FAILED)" $((SECONDS - began))
    return "$status"
}

# The lines with which the runner NAME summed up, for the end of the output.
remember() {
    local name=$1 pattern=$2 line
    line=$(grep -E "$pattern" "$logs/$name.log" | tail -n 1)
    results+=("$(printf '%-18s %s' "$name" "${line:-no summary, see $logs/$name.log}")")
}

build() {
    run "build-$1" bash -c "cmake --preset $1 -Wno-dev && cmake --build --preset $1 ${2:-} -j $jobs" && return
    remember "build-$1" 'error:|FAILED|CMake Error'
    return 1
}

# ThreadSanitizer of gcc 12 cannot live with much address randomisation.
without_randomisation() {
    if setarch "$(uname -m)" -R true 2>/dev/null; then
        setarch "$(uname -m)" -R "$@"
    else
        "$@"
    fi
}

run_ctest() {
    run "$1-ctest" without_randomisation ctest --test-dir "build/$2" --output-on-failure --no-tests=error -j "$jobs" \
        -L 'unit|property'
    remember "$1-ctest" '^[0-9]+% tests passed'
}

run_pytest() {
    local name=$1 preset=$2
    shift 2
    run "$name-pytest" env AFF_BUILD="build/$preset" "$python" -m pytest --color=no "$@"
    remember "$name-pytest" '^=+ .*(passed|failed|skipped|error|no tests ran)'
}

format_check() {
    local files
    mapfile -t files < <(git ls-files -co --exclude-standard -- '*.c' '*.h')
    clang-format-14 --dry-run --Werror "${files[@]}" && echo "${#files[@]} C files are laid out as .clang-format says"
}

shell_check() {
    local files
    mapfile -t files < <(git ls-files -co --exclude-standard -- '*.sh' .ci/run bench/run tests/slow/run)
    shellcheck -x -S warning "${files[@]}" && echo "${#files[@]} shell scripts are clean"
}

# One file a call: over several, clang-tidy 14 takes the va_list of one for an uninitialised one of another.
tidy_check() {
    git ls-files -co --exclude-standard -- {core,config,json,sql,server,cli}/'*.c' |
        xargs -P "$jobs" -n 1 clang-tidy-14 -p build/dev --quiet 2>/dev/null && echo "clang-tidy is content"
}

stage_lint() {
    run format format_check
    remember format 'laid out|error:'
    run shell shell_check
    remember shell 'clean|SC[0-9]+'
}
stage_unit() { build dev && run_ctest unit dev; }
stage_contract() { build dev && run_pytest contract dev tests/contract; }
stage_integration() { build dev && run_pytest integration dev tests/integration; }
stage_asan() { build asan && run_ctest asan asan && run_pytest asan asan tests/integration; }
stage_tsan() { build tsan && run_ctest tsan tsan; }
stage_fuzz() {
    build fuzz "--target fuzz_all" || return
    run fuzz tests/slow/fuzz.sh --build build/fuzz "${FUZZ_S:-5}"
    remember fuzz '^fuzz: '
}

stage_tidy() {
    build dev || return
    run tidy tidy_check
    remember tidy 'content|error:'
}

for stage in "${stages[@]}"; do
    if [[ " ${wanted[*]} " == *" $stage "* ]]; then "stage_$stage" || failed=1; fi
done

printf '\n== summary after %d s\n' "$SECONDS"
printf '%s\n' "${results[@]}"
if ((failed)); then
    echo "test.sh: FAILED; what the runners said is in $logs"
    exit 1
fi
echo "test.sh: all stages passed"
