#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How often the served engine finds what was hidden, on fixed queries over public data: Online Retail (hide a random
# product, with and without the customer; hide the last one; next basket) and RSC15 100k (next view). Beside it, in the
# same table and over the same queries, each single method alone, and the engine without each of its sources. Goals are
# of the engine with its defaults. Methods that only affinityctl backtest asks (docs/backtest.md) are not here.
#
# AFF_BUILD      build folder with affinityctl (default: build/release)
# AFFINITY_DATA  folder of the data (default: ../shared/data); ../tools beside it has the split and the scoring
# TUNE           1: `affinityctl tune` first
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
ctl=${AFF_BUILD:-$root/build/release}/affinityctl
data=${AFFINITY_DATA:-$root/../shared/data}
[[ -x $ctl ]] || { echo "bench/quality.sh: there is no $ctl; build it first" >&2; exit 2; }
if [[ ! -d $data/online_retail/eval || ! -d $data/rsc15_100k/eval || ! -f $data/../tools/score.py ]]; then
    echo "skipped: the data are not in $data (AFFINITY_DATA names another folder)"
    echo "quality: 0 of 5 lines measured (goal 5) missed"
    exit 1
fi
retail=$data/online_retail views=$data/rsc15_100k

work=$(mktemp -d /tmp/aff_bench_quality.XXXXXX)
trap '"$root/tests/support/private_postgres.sh" remove "$work/postgres" >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
AFFINITY_DATABASE_URL=$("$root/tests/support/private_postgres.sh" start "$work/postgres" --while $$ --volatile)
export AFFINITY_DATABASE_URL

echo "importing and learning the training parts"
python3 "$data/../tools/split_online_retail.py" "$work/train.csv.gz" >/dev/null
"$ctl" migrate up >/dev/null
import() {
    "$ctl" import "$@" --quiet --rejects "$work/rejects.csv" >/dev/null || [[ $? == 3 ]] # 3: lines that are no sales
}
import products --import-config "$retail/import.conf" "$retail/products.csv.gz"
import customers --import-config "$retail/import.conf" "$retail/customers.csv.gz"
import orders --import-config "$retail/import.conf" "$work/train.csv.gz"
"$ctl" rebuild --quiet >/dev/null
import sessions --store views "$views/sessions_train.csv.gz"
if [[ ${TUNE:-0} == 1 ]]; then
    "$ctl" tune
    "$ctl" tune --store views
fi

# figures ANSWERS FOLDER TASK OPTION...: "A B" of the task's two figures.
figures() {
    local answers=$1 folder=$2 task=$3 shown=()
    shift 3
    "$ctl" recommend --batch "$folder/eval/$task.queries.jsonl.gz" --quiet "$@" >"$answers"
    [[ $task == complete_* ]] && shown=(--queries "$folder/eval/$task.queries.jsonl.gz")
    python3 "$data/../tools/score.py" "$folder/eval/$task.truth.jsonl.gz" "$answers" "${shown[@]}" |
        python3 -c 'import json, sys
f = json.load(sys.stdin)
names = {"complete_random": ("HR@10", "NDCG@10"), "complete_last": ("HR@10", "NDCG@10"), "next_basket": ("recall@10", "NDCG@10"), "next_in_session": ("HR@20", "MRR@20")}[sys.argv[1]]
print(*("%.4f" % f[n] for n in names))' "$task"
    rm -f "$answers"
}

# The table is written down first, then asked with as many questioners as there are processors, then printed.
titles=() goals=() questions=()
# line TITLE A-GOAL B-GOAL FOLDER TASK OPTION...
line() {
    titles+=("$1") goals+=("$2 $3")
    shift 3
    questions+=("${*@Q}")
}
# beside TITLE FOLDER TASK OPTION...
beside() {
    titles+=("$1") goals+=("")
    shift
    questions+=("${*@Q}")
}

all_of_cart=affinity,personal,popularity,added
# others_than NAME LIST: the list without the name.
others_than() {
    local name out=()
    for name in ${2//,/ }; do
        [[ $name == "$1" ]] || out+=("$name")
    done
    (IFS=,; echo "${out[*]}")
}
methods="lift confidence llr jaccard cosine ridge"

line "random product, customer known: HR@10 NDCG@10" 0.350 0.211 "$retail" complete_random
beside "personal alone" "$retail" complete_random --without "$(others_than personal $all_of_cart)"
for method in cosine ridge; do
    beside "$method and personal" "$retail" complete_random --method "$method" --without popularity,added
done
for source in added personal popularity affinity; do
    beside "without $source" "$retail" complete_random --without $source
done
line "random product, cart only: HR@10 NDCG@10" 0.315 0.195 "$retail" complete_random --no-customer
for method in $methods; do
    beside "$method alone" "$retail" complete_random --no-customer --method "$method" --without popularity,added
done
beside "without popularity" "$retail" complete_random --no-customer --without popularity
line "last product: HR@10 NDCG@10" 0.363 0.247 "$retail" complete_last --as added
for method in $methods; do
    beside "$method alone, cart order" "$retail" complete_last --as added --no-customer --method "$method" --without popularity,added
done
beside "added alone" "$retail" complete_last --as added --no-customer --without "$(others_than added $all_of_cart)"
beside "personal alone" "$retail" complete_last --as added --without "$(others_than personal $all_of_cart)"
beside "order of the cart left aside" "$retail" complete_last
for source in added personal popularity affinity; do
    beside "without $source" "$retail" complete_last --as added --without $source
done
line "next basket: recall@10 NDCG@10" 0.204 0.312 "$retail" next_basket
all_of_basket=personal,history,recent,popularity
for source in personal history recent; do
    beside "$source alone" "$retail" next_basket --without "$(others_than $source $all_of_basket)"
done
for source in personal history recent popularity; do
    beside "without $source" "$retail" next_basket --without $source
done
line "next view: HR@20 MRR@20" 0.695 0.380 "$views" next_in_session --as views --store views
for source in alike viewed seen; do
    beside "$source alone" "$views" next_in_session --as views --store views --without "$(others_than $source alike,viewed,seen)"
done
for source in alike viewed seen; do
    beside "without $source" "$views" next_in_session --as views --store views --without $source
done

echo "asking"
running=0
for i in "${!questions[@]}"; do
    if ((running == $(nproc))); then
        wait -n || true # what it has not answered is told below
        running=$((running - 1))
    fi
    eval "figures '$work/answers.$i' ${questions[i]}" >"$work/figures.$i" &
    running=$((running + 1))
done
wait || true

met=0
for i in "${!titles[@]}"; do
    read -r a b <"$work/figures.$i" || { echo "bench/quality.sh: '${titles[i]}' got no answer" >&2; exit 1; }
    if [[ -z ${goals[i]} ]]; then
        printf '  %-44s %s %s\n' "${titles[i]}" "$a" "$b"
        continue
    fi
    read -r a_goal b_goal <<<"${goals[i]}"
    verdict=$(awk -v a="$a" -v b="$b" -v x="$a_goal" -v y="$b_goal" 'BEGIN {print (a >= x && b >= y) ? "met" : "missed"}')
    [[ $verdict == met ]] && met=$((met + 1))
    printf '%-46s %s %s   (goal %s %s) %s\n' "${titles[i]}" "$a" "$b" "$a_goal" "$b_goal" "$verdict"
done

verdict=missed
[[ $met == 5 ]] && verdict=met
echo "quality: $met of 5 lines (goal 5) $verdict"
[[ $verdict == met ]]
