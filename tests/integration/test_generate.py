# SPDX-License-Identifier: Apache-2.0
"""affinityctl generate: the files, and that truth.json says the truth about them."""

import collections
import datetime
import filecmp
import gzip
import json
import re
import subprocess

import pytest

from demo_store import DemoStore, binomial_deviation
from support.programs import run_ctl

FILES = ["customers.csv", "import.conf", "order_lines.csv", "products.csv", "truth.json"]
LINES = 30000


@pytest.fixture(scope="module")
def store(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    run_ctl(build, "generate", "--out", folder, "--lines", LINES, "--seed", 11, "--quiet")
    return DemoStore(folder)


def cents(text):
    assert re.fullmatch(r"\d+\.\d\d", text)
    return int(text.replace(".", ""))


def test_the_folder_holds_the_five_files_and_nothing_else(store):
    assert sorted(path.name for path in store.folder.iterdir()) == FILES


def test_the_same_seed_writes_the_same_bytes_and_another_one_does_not(ctl, store, tmp_path):
    ctl("generate", "--out", tmp_path / "same", "--lines", LINES, "--seed", 11, "--quiet")
    ctl("generate", "--out", tmp_path / "other", "--lines", LINES, "--seed", 12, "--quiet")
    assert filecmp.cmpfiles(store.folder, tmp_path / "same", FILES, shallow=False)[0] == FILES
    equal = filecmp.cmpfiles(store.folder, tmp_path / "other", FILES, shallow=False)[0]
    assert equal == ["import.conf"]


@pytest.mark.parametrize("how, suffix", [("gzip", ".gz"), ("zstd", ".zst")])
def test_compressed_tables_read_back_as_the_plain_ones(ctl, store, tmp_path, how, suffix):
    ctl("generate", "--out", tmp_path, "--lines", LINES, "--seed", 11, "--quiet", "--compress", how)
    for name, what in [("customers.csv", "customers"), ("order_lines.csv", "orders"), ("products.csv", "products")]:
        packed, plain = tmp_path / (name + suffix), store.folder / name
        assert packed.stat().st_size < plain.stat().st_size / 2
        if how == "gzip":
            assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
        rows = [ctl("import", what, "--dry-run", path).stdout.split(" in ")[0] for path in (packed, plain)]
        assert rows[0] == rows[1] != ""
    assert filecmp.cmp(tmp_path / "truth.json", store.folder / "truth.json", shallow=False)


@pytest.mark.parametrize("lines", [1, 17, 1000, 4321])
def test_a_store_has_exactly_the_lines_that_were_asked_for(ctl, tmp_path, lines):
    ctl("generate", "--out", tmp_path, "--lines", lines, "--quiet")
    store = DemoStore(tmp_path)
    assert len(store.lines) == lines == store.truth["store"]["lines"]
    assert store.unmatched == 0


def test_lines_are_sorted_by_time_within_the_days_asked_for(store):
    times = [line["ordered_at"] for line in store.lines]
    assert times == sorted(times)
    assert times[0].startswith("2024-01-02T") and times[-1].startswith("2025-12-31T")
    for text in times[:: len(times) // 50]:
        datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")


def test_every_id_of_a_line_exists(store):
    assert len(store.products) == store.truth["store"]["products"]
    assert len(store.customers) == store.truth["store"]["customers"]
    for line in store.lines:
        assert line["product_id"] in store.products
        assert line["customer_id"] == "" or line["customer_id"] in store.customers


def test_an_order_has_one_customer_one_time_and_each_product_once(store):
    heads, seen = {}, set()
    for line in store.lines:
        head = (line["customer_id"], line["ordered_at"])
        assert heads.setdefault(line["order_id"], head) == head
        assert (line["order_id"], line["product_id"]) not in seen
        seen.add((line["order_id"], line["product_id"]))


def test_nothing_is_sold_below_cost_and_only_discounted_lines_below_price(store):
    discounted = 0
    for line in store.lines:
        price, cost = cents(line["unit_price"]), cents(line["unit_cost"])
        usual = cents(store.products[line["product_id"]]["price"])
        assert 0 < cost < price <= usual
        assert (price < usual) == (line["discounted"] == "true")
        discounted += price < usual and int(line["quantity"]) > 0
    assert discounted == store.truth["store"]["discounted_lines"]
    assert 0.04 < discounted / LINES < 0.2


def test_the_catalogue_is_described_whole(store):
    names = collections.Counter(row["name"] for row in store.products.values())
    assert max(names.values()) == 1
    departments = {row["category"].split(" > ")[0] for row in store.products.values()}
    assert len(departments) == 12
    for row in store.products.values():
        assert re.fullmatch(r"[^>]+ > [^>]+", row["category"]) and row["brand"] in row["name"]
        assert 0 < cents(row["cost"]) < cents(row["price"])
        assert row["compare_at"] == "" or cents(row["compare_at"]) > cents(row["price"])
    sold_out = sum(row["stock"] == "0" for row in store.products.values())
    gone = sum(row["available"] == "false" for row in store.products.values())
    assert 0 < sold_out < len(store.products) / 10 and 0 < gone < len(store.products) / 10


def test_a_family_is_a_ladder_of_basic_plus_and_pro(store):
    families = collections.defaultdict(dict)
    for row in store.products.values():
        if row["attr.family"]:
            families[row["attr.family"]][row["attr.tier"]] = row
    assert len(families) > 20
    for tiers in families.values():
        basic, plus, pro = (tiers[name] for name in ("basic", "plus", "pro"))
        assert cents(basic["price"]) < cents(plus["price"]) < cents(pro["price"])
        assert len({(row["category"], row["brand"], row["attr.colour"], row["attr.size"]) for row in tiers.values()}) == 1


def test_every_return_finds_its_purchase(store):
    assert store.unmatched == 0
    back = [line for line in store.lines if int(line["quantity"]) < 0]
    assert len(back) == store.truth["store"]["return_lines"]
    assert 0.01 < len(back) / LINES < 0.05
    assert all(line["customer_id"] for line in back)
    cancelling = {line["order_id"] for line in store.lines if line["order_id"].startswith("C")}
    assert len(cancelling) == store.truth["store"]["cancelled_orders"] > 0
    assert all(int(line["quantity"]) < 0 for line in store.lines if line["order_id"] in cancelling)


def test_truth_counts_what_is_in_the_files(store):
    truth = store.truth
    assert truth["store"]["orders"] == len(store.baskets)
    assert truth["store"]["guest_orders"] == sum(store.head[order][0] == "" for order in store.baskets)
    assert len(truth["affinities"]) >= 20
    for pair in truth["affinities"]:
        assert pair["a"]["orders"] == store.orders_with(pair["a"]["id"])
        assert pair["b"]["orders"] == store.orders_with(pair["b"]["id"])
        assert pair["orders_both"] == store.orders_with(pair["a"]["id"], pair["b"]["id"])
    best = truth["bestseller"]
    assert best["product"]["orders"] == store.orders_with(best["product"]["id"])
    for beside in best["beside"]:
        assert beside["orders_both"] == store.orders_with(best["product"]["id"], beside["product"]["id"])


def test_truth_counts_what_comes_next(store):
    firsts, follows = collections.Counter(), collections.Counter()
    for first, second, first_at, second_at in store.consecutive():
        assert first_at < second_at
        firsts.update(first)
        follows.update((a, b) for a in first for b in second if b not in first or a == b)
    for next_ in store.truth["sequences"] + store.truth["upgrades"]:
        assert next_["orders"] == follows[next_["a"]["id"], next_["b"]["id"]]
        assert next_["followed_orders"] == firsts[next_["a"]["id"]]
    for repeat in store.truth["repeats"]:
        assert repeat["orders"] == follows[repeat["product"]["id"], repeat["product"]["id"]]
        assert repeat["followed_orders"] == firsts[repeat["product"]["id"]]


def test_truth_counts_the_seasonal_pair_by_month(store):
    noise = store.truth["seasonal_noise"]
    a, b = noise["a"]["id"], noise["b"]["id"]
    months = collections.defaultdict(lambda: [0, 0, 0, 0])
    for order, basket in store.baskets.items():
        row = months[store.head[order][1][:7]]
        for i, held in enumerate([True, a in basket, b in basket, a in basket and b in basket]):
            row[i] += held
    assert {
        month["month"]: [month[key] for key in ("orders", "orders_a", "orders_b", "orders_both")]
        for month in noise["months"]
    } == months


def test_planted_chances_hold_in_a_large_store(ctl, tmp_path):
    """30 times as many lines as the default narrow the intervals; four standard deviations fail by accident in one of
    16 000 draws, and there are 53, but the seed is fixed."""
    ctl("generate", "--out", tmp_path, "--lines", 1500000, "--products", 1000, "--seed", 5, "--quiet", timeout=600)
    truth = json.loads((tmp_path / "truth.json").read_text())
    for pair in truth["affinities"]:
        assert pair["a"]["orders"] > 500
        assert abs(binomial_deviation(pair["orders_both"], pair["a"]["orders"], pair["designed_confidence"])) < 4, pair
    for next_ in truth["sequences"] + truth["upgrades"] + truth["repeats"]:
        assert abs(binomial_deviation(next_["planned"], next_["trials"], next_["designed_probability"])) < 4, next_
        assert next_["orders"] >= next_["planned"] * 0.9
        assert abs(next_["median_gap_days"] - next_["designed_gap_days"]) <= 1 + next_["designed_jitter_days"] / 5


def test_a_fixed_until_moves_the_days_and_today_ends_yesterday(ctl, tmp_path):
    ctl("generate", "--out", tmp_path / "a", "--lines", 500, "--until", "2023-03-01", "--days", 31, "--quiet")
    times = [line["ordered_at"] for line in DemoStore(tmp_path / "a").lines]
    assert "2023-01-29" <= times[0] and times[-1] < "2023-03-01"
    ctl("generate", "--out", tmp_path / "b", "--lines", 500, "--until", "today", "--quiet")
    today = datetime.datetime.now(datetime.timezone.utc).date()
    last = DemoStore(tmp_path / "b").lines[-1]["ordered_at"][:10]
    assert datetime.timedelta(0) < today - datetime.date.fromisoformat(last) < datetime.timedelta(20)


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([], "--out DIR is missing"),
        (["--out", "x", "--lines", "0"], "--lines: '0' is not a whole number from 1"),
        (["--out", "x", "--lines", "1e6"], "--lines: '1e6'"),
        (["--out", "x", "--lines", "99999999999999999999999"], "--lines:"),
        (["--out", "x", "--products", "10"], "--products: '10' is not a whole number from"),
        (["--out", "x", "--days", "-3"], "--days: '-3'"),
        (["--out", "x", "--until", "2026-02-30"], "--until: '2026-02-30' is neither a date"),
        (["--out", "x", "--basket-mean", "0.9"], "--basket-mean: '0.9' is not a number from 1"),
        (["--out", "x", "--basket-mean", "3,5"], "--basket-mean: '3,5'"),
        (["--out", "x", "--compress", "bz2"], "--compress: 'bz2' is not none, gzip or zstd"),
        (["--out"], "--out needs a value"),
        (["--colour", "red"], "there is no option --colour"),
        (["--out", "x", "more"], "'more' is not an option"),
    ],
)
def test_wrong_arguments_are_refused_with_a_reason(ctl, arguments, said):
    result = ctl("generate", *arguments, check=False)
    assert result.returncode == 2 and result.stdout == ""
    assert result.stderr.startswith("affinityctl generate: ") and said in result.stderr


def test_a_folder_that_cannot_be_made_is_named(ctl, tmp_path):
    result = ctl("generate", "--out", tmp_path / "no" / "such", check=False)
    assert result.returncode == 1 and f"cannot make folder {tmp_path}/no/such" in result.stderr


def test_the_same_table_in_another_compression_is_not_left_beside_ours(ctl, tmp_path):
    ctl("generate", "--out", tmp_path, "--lines", 100, "--quiet")
    result = ctl("generate", "--out", tmp_path, "--lines", 100, "--compress", "gzip", check=False)
    assert result.returncode == 1 and "products.csv is there already" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES


def test_a_full_disk_leaves_no_file_and_says_so(ctl, build, tmp_path):
    result = subprocess.run(
        ["bash", "-c", f"ulimit -f 100; trap '' XFSZ; exec {build}/affinityctl generate --out {tmp_path} --quiet"],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1 and "cannot write" in result.stderr and "File too large" in result.stderr
    assert list(tmp_path.iterdir()) == []
