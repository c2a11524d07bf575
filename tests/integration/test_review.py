# SPDX-License-Identifier: Apache-2.0
"""Pairs that only the season explains: marked, damped, decided about by people; lift without reduced lines."""

import json
import math
import time

import pytest

from import_files import text_of
from test_rebuild import Holder, start, wait_for

SUMMER, WINTER = 160, 800
METHOD = ("--set", "learn.method=cosine")
SEASONAL = frozenset(("umbrella", "screen"))
HEADER = ("order_id", "ordered_at", "product_id", "quantity", "unit_price", "discounted")


def orders():
    """Umbrellas and sun screen each in every other summer order, independently; lotion only with sun screen. So of the
    three only screen and lotion are a true pair."""
    rows = []
    for number in range(SUMMER + WINTER):
        summer = number < SUMMER
        at = f"2025-{'06' if summer else '12'}-{1 + number % 28:02d}T{number % 24:02d}:00:00Z"
        goods = ["tea"]
        if summer and number % 2 == 0:
            goods.append("umbrella")
        if summer and number // 2 % 2 == 0:
            goods.append("screen")
        if summer and number // 2 % 4 == 0:
            goods.append("lotion")
        rows += [(f"O{number}", at, product, 1, "5.00", "true" if number % 3 == 0 else "false") for product in goods]
    return rows


@pytest.fixture
def shop(ctl, database, tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(text_of(orders(), HEADER), encoding="utf-8")
    ctl("import", "orders", str(path), "--currency", "EUR", "--quiet", database=database)
    ctl("rebuild", "--quiet", *METHOD, database=database)
    return database


@pytest.fixture
def one(service, shop):
    return service(shop, learn_method="cosine", learn_fold_ms=20, database_poll_ms=50)


def neighbours(one, product):
    items = one.get(f"/v1/products/{product}/affinities", limit=10).json()["items"]
    return {item["product"]: item for item in items}


def pairs(one, **params):
    answer = one.get("/v1/pairs/review", **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def named(pairs):
    return {frozenset((pair["product"], pair["other"])) for pair in pairs}


def decide(one, verdict, product="screen", other="umbrella", **more):
    return one.request("PUT", "/v1/pairs/review",
                       json={"pairs": [{"product": product, "other": other, "verdict": verdict, **more}]})


def until(happened, what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if happened():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def test_what_only_shares_its_season_is_marked_and_listed_with_its_evidence(one, shop):
    answer = pairs(one)
    assert answer["next_cursor"] is None and named(answer["pairs"]) == {SEASONAL, frozenset(("umbrella", "lotion"))}
    pair = next(pair for pair in answer["pairs"] if named([pair]) == {SEASONAL})
    assert (pair["verdict"], pair["by"], pair["note"], pair["at"]) == ("open", None, None, None)
    evidence = pair["evidence"]
    assert (evidence["pair_orders"], evidence["product_orders"], evidence["other_orders"]) == (40, 80, 80)
    assert evidence["lift"] == pytest.approx(40 * 960 / (80 * 80))
    assert evidence["months"] == [{"month": "2025-06", "orders": 160, "product_orders": 80, "other_orders": 80}]
    assert evidence["season"]["marked"] is True
    assert evidence["season"]["expected_orders"] == 40 and evidence["season"]["z"] == 0
    assert pairs(one, state="approved")["pairs"] == pairs(one, state="rejected", reason="seasonal")["pairs"] == []
    # The true pair, which sells in the same month only, is not.
    lotion = neighbours(one, "screen")["lotion"]["evidence"]["season"]
    assert lotion["marked"] is False and lotion["z"] > 7 and lotion["lift"] == pytest.approx(2)
    item = neighbours(one, "screen")["umbrella"]
    assert item["evidence"]["season"]["marked"] is True
    weights = dict(shop.sql("SELECT p.id, s.weight FROM affinity.product_stat s JOIN affinity.product p USING (product)"))
    both = shop.number("SELECT weight FROM affinity.pair_together t JOIN affinity.product p ON p.product = t.a"
                       " JOIN affinity.product q ON q.product = t.b WHERE ARRAY[p.id, q.id] <@ '{umbrella,screen}'::text[]")
    cosine = both / math.sqrt(int(weights["umbrella"]) * int(weights["screen"]))
    assert item["score"] == pytest.approx(cosine * 0.25, rel=1e-4)


def test_a_rejected_pair_goes_at_once_an_approved_one_is_not_damped_and_both_can_be_taken_back(one, shop):
    damped = neighbours(one, "umbrella")["screen"]["score"]
    assert decide(one, "reject", by="ann", note="summer").json()["results"] == [
        {"index": 0, "product": "screen", "other": "umbrella", "status": "created", "errors": []}]
    until(lambda: "screen" not in neighbours(one, "umbrella") and "umbrella" not in neighbours(one, "screen"),
          "the rejection")
    assert SEASONAL not in named(pairs(one)["pairs"])
    rejected = pairs(one, state="rejected")["pairs"]
    assert [(pair["by"], pair["note"], pair["verdict"]) for pair in rejected] == [("ann", "summer", "reject")]
    assert rejected[0]["at"] and rejected[0]["evidence"]["pair_orders"] == 40
    assert decide(one, "reject", by="ann", note="summer").json()["counts"]["unchanged"] == 1
    assert decide(one, "approve", "umbrella", "screen").json()["counts"]["changed"] == 1
    until(lambda: "screen" in neighbours(one, "umbrella"), "the approval")
    approved = neighbours(one, "umbrella")["screen"]["score"]
    assert approved == pytest.approx(4 * damped, rel=1e-4)
    assert neighbours(one, "screen")["umbrella"]["score"] == pytest.approx(approved, rel=1e-6)
    assert decide(one, "open").json()["counts"]["changed"] == 1
    until(lambda: neighbours(one, "umbrella")["screen"]["score"] == pytest.approx(damped, rel=1e-4), "the reopening")
    assert SEASONAL in named(pairs(one)["pairs"])
    assert shop.number("SELECT count(*) FROM affinity.pair_review WHERE queued") == 0


def test_wrong_decisions_are_refused_one_by_one(one, shop):
    entries = [
        {"product": "screen", "other": "lotion", "verdict": "approve"},
        {"product": "lotion", "other": "screen", "verdict": "reject"},
        {"product": "tea", "other": "tea", "verdict": "reject"},
        {"product": "tea", "other": "none such", "verdict": "reject"},
        {"product": "tea", "verdict": "maybe", "by": 7},
        {"product": "tea", "other": "lotion", "verdict": "reject", "note": "x" * 1001, "extra": 1},
        "tea",
    ]
    answer = one.request("PUT", "/v1/pairs/review", json=entries)
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [result["status"] for result in results] == ["created"] + ["refused"] * 6
    fields = [[error["field"] for error in result["errors"]] for result in results]
    assert fields == [[], ["other"], ["other"], ["other"], ["verdict", "by", "other"], ["note", "extra"], [""]]
    assert "no such product" in results[3]["errors"][0]["reason"]
    assert (results[6]["product"], results[4]["other"]) == (None, None)
    refused = one.request("PUT", "/v1/pairs/review", json=entries[1:3] + entries[4:5] + [{"product": "x", "other": "y", "verdict": "open"}])
    assert refused.status_code == 200  # the first of them is right by itself
    assert one.request("PUT", "/v1/pairs/review", json=entries[2:4]).status_code == 422
    assert one.request("PUT", "/v1/pairs/review", data=b"[", headers={"Content-Type": "application/json"}).status_code == 400
    for wrong in ({"state": "done"}, {"reason": "price"}, {"cursor": "1"}, {"cursor": "1.2.3"}, {"limit": 0},
                  {"cursor": "99999999999.1"}, {"product": "tea"}):
        answer = one.get("/v1/pairs/review", **wrong)
        assert answer.status_code == 400, (wrong, answer.text)
        assert [error["field"] for error in answer.json()["errors"]] == list(wrong)
    assert one.get("/v1/pairs/review", store="nowhere").status_code == 404


def test_a_key_makes_a_decision_repeatable(one, shop):
    entry = {"product": "screen", "other": "umbrella", "verdict": "reject"}
    first = one.request("PUT", "/v1/pairs/review", json=entry, headers={"Idempotency-Key": "k1"})
    again = one.request("PUT", "/v1/pairs/review", json=entry, headers={"Idempotency-Key": "k1"})
    assert first.json() == again.json() and again.headers["Idempotency-Replayed"] == "true"
    other = one.request("PUT", "/v1/pairs/review", json={**entry, "verdict": "open"}, headers={"Idempotency-Key": "k1"})
    assert other.status_code == 409


def test_a_list_goes_on_where_it_ended(one, shop):
    goods = ["tea", "umbrella", "screen", "lotion"]
    entries = [{"product": x, "other": y, "verdict": "approve"} for i, x in enumerate(goods) for y in goods[:i]]
    assert one.request("PUT", "/v1/pairs/review", json=entries).json()["counts"]["created"] == 6
    seen, cursor = [], {}
    while True:
        page = pairs(one, state="approved", limit=4, **cursor)
        seen += [frozenset((pair["product"], pair["other"])) for pair in page["pairs"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert len(seen) == len(set(seen)) == 6


def test_decisions_are_part_of_a_rebuild_and_those_that_come_meanwhile_are_not_lost(build, ctl, shop):
    ctl("review", "reject", "umbrella", "screen", database=shop)
    held = "LOCK TABLE affinity.customer_history_s1 IN ACCESS SHARE MODE"
    holder = Holder(shop, held)
    rebuild = start(build, shop)
    wait_for(lambda: shop.sql("SELECT to_regclass('affinity.product_month_s1_next') IS NOT NULL") == [("t",)] and
             shop.number("SELECT count(*) FROM affinity.product_stat_s1_next") > 0, "the snapshot")
    ctl("review", "reject", "lotion", "screen", database=shop)
    ctl("learn", "--once", "--quiet", *METHOD, database=shop)
    assert shop.number("SELECT count(*) FROM affinity.pair_review WHERE queued") == 0
    holder.release()
    out, err = rebuild.communicate(timeout=60)
    assert rebuild.returncode == 0, err
    assert shop.sql("SELECT count(*), count(*) FILTER (WHERE queued) FROM affinity.pair_review") == [("2", "1")]
    ctl("learn", "--once", "--quiet", *METHOD, database=shop)
    listed = shop.sql("SELECT p.id FROM affinity.neighbour n JOIN affinity.product q USING (store, product), unnest(n.others) o"
                      " JOIN affinity.product p ON p.product = o WHERE n.relation = 1 AND q.id = 'screen'")
    assert listed == []
    done = ctl("verify", "--sweep", "--quiet", *METHOD, database=shop)
    assert "all equal" in done.stdout and "product_month" in done.stdout


def test_the_command_lists_and_decides(ctl, shop):
    listed = ctl("review", "list", "--months", database=shop).stdout
    assert listed.count(": seasonal") == 2 and "a umbrella  (80 orders)\n  b screen  (80 orders)" in listed
    assert "2025-06       160 orders" in listed
    ctl("review", "approve", "umbrella", "screen", "--by", "ann", "--note", "both for trips", database=shop)
    listed = ctl("review", "list", "--limit", "1", database=shop).stdout
    assert "screen" not in listed and "more" not in listed
    assert "no such pairs" in ctl("review", "list", "--state", "rejected", database=shop).stdout
    approved = ctl("review", "list", "--state", "approved", database=shop).stdout
    assert "approve" in approved and "by ann: both for trips" in approved
    assert "unchanged" in ctl("review", "approve", "screen", "umbrella", "--by", "ann", "--note", "both for trips", database=shop).stdout
    ctl("review", "reopen", "umbrella", "screen", database=shop)
    assert "--after" in ctl("review", "list", "--limit", "1", database=shop).stdout
    for arguments, status, text in [
        (("approve", "umbrella", "none"), 1, "no product 'none'"),
        (("approve", "umbrella"), 2, "two products"),
        (("approve", "tea", "tea"), 2, "two different"),
        (("list", "--state", "new"), 2, "--state"),
        (("list", "--limit", "0"), 2, "--limit"),
        (("list", "--after", "x"), 2, "--after"),
        (("forget",), 2, "forget"),
        ((), 2, "missing"),
    ]:
        done = ctl("review", *arguments, database=shop, check=False)
        assert done.returncode == status and text in done.stderr, (arguments, done.stderr)


def test_evidence_without_reduced_lines_is_that_of_a_plain_count(one, shop):
    held = "count(DISTINCT order_key) FILTER (WHERE {})"
    lines = ("(SELECT l.order_key, bool_or(p.id = 'screen') AS a, bool_or(p.id = 'lotion') AS b,"
             " bool_or(p.id = 'screen' AND l.discounted) AS da, bool_or(p.id = 'lotion' AND l.discounted) AS db"
             " FROM affinity.order_line l JOIN affinity.product p USING (product) GROUP BY 1) o")
    both, a, b, n, reduced = (int(value) for value in shop.sql(
        f"SELECT {held.format('a AND b AND NOT da AND NOT db')}, {held.format('a AND NOT da')},"
        f" {held.format('b AND NOT db')}, count(*), {held.format('a AND b AND (da OR db)')} FROM {lines}")[0])
    evidence = neighbours(one, "screen")["lotion"]["evidence"]
    assert 0 < both < evidence["pair_orders"]
    assert evidence["discounted_orders"] == reduced == evidence["pair_orders"] - both
    lift = both * n / (a * b)
    assert evidence["lift_without_discounts"] == pytest.approx(lift)
    width = math.exp(1.959963984540054 * math.sqrt(1 / both - 1 / a + 1 / b - 1 / n))
    assert evidence["lift_without_discounts_ci95"] == pytest.approx([lift / width, lift * width])


def test_recommend_says_what_the_season_explains(ctl, shop):
    shown = ctl("recommend", "--cart", "screen", "--explain", database=shop).stdout
    assert "only the season" in shown and "inside months lift is 2.00" in shown and "with reduced prices lift" in shown
    answer = json.loads(ctl("recommend", "--cart", "screen", "--json", database=shop).stdout)
    marks = {item["product"]: item["evidence"]["season"]["marked"] for item in answer["items"]
             if item.get("evidence", {}).get("season")}
    assert marks["umbrella"] is True and marks["lotion"] is False
