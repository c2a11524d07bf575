# SPDX-License-Identifier: Apache-2.0
"""affinityctl recommend on a store of six products."""
import datetime
import gzip
import json
import urllib.parse

import pytest

import tiny_store


@pytest.fixture
def store(database):
    database.sql(tiny_store.SQL)
    return database


def days(time):
    """Days since 1970 with fraction, as a batch takes them."""
    return datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp() / 86400


def ask(ctl, store, *arguments):
    return json.loads(ctl("recommend", "--json", *arguments, database=store).stdout)


def ids(answer):
    return [item["product"] for item in answer["items"]]


def batch(ctl, store, lines, *arguments, check=True):
    text = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
    result = ctl("recommend", "--batch", "-", "--quiet", *arguments, database=store, input=text, check=check)
    return result, [json.loads(line) for line in result.stdout.splitlines()]


def test_a_cart_is_answered_with_evidence(ctl, store):
    answer = ask(ctl, store, "--cart", "tea", "--strict")
    assert ids(answer) == ["pot", "cup"]
    pot = answer["items"][0]
    assert pot["origin"] == "affinity" and pot["via"] == "tea" and pot["rank"] == 1 and pot["price"] == 3500
    evidence = pot["evidence"]
    assert evidence["pair_orders"] == 16
    assert (evidence["product_orders"], evidence["other_orders"], evidence["total_orders"]) == (40, 20, 100)
    assert evidence["support"] == pytest.approx(0.16, abs=1e-12)
    assert evidence["confidence"] == pytest.approx(0.4, abs=1e-12)
    assert evidence["reverse_confidence"] == pytest.approx(0.8, abs=1e-12)
    assert evidence["lift"] == pytest.approx(2.0, abs=1e-12)
    assert answer["dropped"]["unavailable"] == 1
    assert answer["candidates"] == len(answer["items"]) + sum(answer["dropped"].values())


def test_the_table_shows_name_reason_and_ratios(ctl, store):
    table = ctl("recommend", "--cart", "tea", "--strict", database=store).stdout
    line = next(line for line in table.splitlines() if "pot" in line)
    for part in ("Teapot", "bought with tea", "16.000 %", "40.00 %", "2.00"):
        assert part in line
    assert "Täßchen" in table


def test_explain_shows_terms_and_why_not_tells_a_fate(ctl, store):
    answer = ask(ctl, store, "--cart", "tea", "--explain", "--why-not", "gone", "--strict")
    assert answer["items"][0]["terms"][0]["source"] == "affinity"
    assert answer["why_not"] == {"product": "gone", "fate": "dropped", "dropped": "unavailable"}


def test_cart_excluded_and_unavailable_products_are_never_offered(ctl, store):
    answer = ask(ctl, store, "--cart", "tea", "--cart", "milk", "--exclude", "pot")
    assert not {"tea", "milk", "pot", "gone"} & set(ids(answer))


def test_unknown_products_are_listed(ctl, store):
    answer = ask(ctl, store, "--cart", "tea,nothing")
    assert answer["unknown_ids"] == ["nothing"]
    assert ids(answer)


def test_a_known_customer_is_offered_what_is_bought_again(ctl, store):
    answer = ask(ctl, store, "--customer", "ann", "--at", tiny_store.moved("2026-12-15T00:00:00Z"), "--strict")
    assert answer["customer_known"] is True
    assert "milk" in ids(answer)


def test_a_batch_keeps_the_order_and_the_limit(ctl, store):
    lines = [{"query_id": f"q{i}", "cart": ["tea" if i % 2 else "pot"], "at": 20778.5} for i in range(50)]
    result, answers = batch(ctl, store, lines, "--limit", "2", "--strict")
    assert [answer["query_id"] for answer in answers] == [f"q{i}" for i in range(50)]
    assert [answer["items"] for answer in answers[:2]] == [["tea", "cup"], ["pot", "cup"]]
    assert result.stderr == ""


def test_what_was_bought_is_told_from_what_goes_with_it(ctl, store):
    shown = ctl("recommend", "--customer", "ann", database=store).stdout
    lines = [line for line in shown.splitlines() if "bought before" in line or "goes with" in line]
    assert {("milk" in line or "tea" in line, "bought before" in line) for line in lines} == {(True, True), (False, False)}


def test_a_batch_answers_as_single_questions_do(ctl, store):
    at = tiny_store.moved("2026-11-21T12:00:00Z")
    single = ids(ask(ctl, store, "--cart", "tea,pot", "--customer", "ann", "--at", at))
    line = {"query_id": "q", "customer_id": "ann", "cart": ["tea", "pot"], "at": days(at)}
    assert batch(ctl, store, [line], "--limit", "10")[1] == [{"query_id": "q", "items": single}]


def test_a_batch_reads_gzip(ctl, store, tmp_path):
    path = tmp_path / "queries.jsonl.gz"
    with gzip.open(path, "wt") as file:
        file.write('{"query_id": 7, "cart": ["tea"]}')  # no line break at the end
    result = ctl("recommend", "--batch", str(path), "--strict", "--quiet", database=store)
    assert json.loads(result.stdout) == {"query_id": 7, "items": ["pot", "cup"]}


def test_malformed_lines_are_told_and_left_out(ctl, store):
    lines = [
        {"query_id": "first", "cart": ["tea"]},
        "this is no JSON\n",
        "\n",
        {"cart": ["tea"]},
        {"query_id": "odd", "cart": [1]},
        '{"query_id": "long", "cart": ["' + "x" * (1 << 20) + '"]}\n',
        {"query_id": "last", "cart": ["pot"], "customer_id": None, "unknown": {"more": [1]}},
    ]
    result, answers = batch(ctl, store, lines, check=False)
    assert result.returncode == 3
    assert [answer["query_id"] for answer in answers] == ["first", "last"]
    for number, reason in ((2, "not JSON"), (4, "query_id is missing"), (5, "cart[0]"), (6, "longer than")):
        assert any(f"line {number} " in line and reason in line for line in result.stderr.splitlines())
    assert "4 lines were left out" in result.stderr


def test_a_batch_can_withhold_customers(ctl, store):
    line = {"query_id": "q", "customer_id": "ann", "cart": [], "at": days(tiny_store.moved("2026-12-13T00:00:00Z"))}
    with_customer = batch(ctl, store, [line], "--strict")[1][0]["items"]
    without = batch(ctl, store, [line], "--strict", "--no-customer")[1][0]["items"]
    assert "milk" in with_customer
    assert without == []


def test_products_of_a_very_long_cart_are_never_offered(ctl, store):
    padding = [f"unknown{i}" for i in range(800)]
    line = {"query_id": "q", "cart": ["pot", "soap"] + padding + ["tea"]}
    items = batch(ctl, store, [line])[1][0]["items"]
    assert items and not {"pot", "soap", "tea"} & set(items)


def test_weights_come_from_the_configuration(ctl, store):
    line = {"query_id": "q", "customer_id": "ann", "cart": ["pot"], "at": days(tiny_store.moved("2026-12-13T00:00:00Z"))}
    usual = batch(ctl, store, [line], "--strict")[1][0]["items"]
    personal = batch(
        ctl, store, [line], "--strict", "--set", "recommend.weight_affinity=0", "--set", "recommend.weight_personal=9"
    )[1][0]["items"]
    assert usual[0] != "milk"
    assert personal[0] == "milk"


def test_an_unknown_store_is_one_clear_line(ctl, store):
    result = ctl("recommend", "--cart", "tea", "--store", "elsewhere", database=store, check=False)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1 and "no store 'elsewhere'" in result.stderr


def test_a_missing_batch_file_is_one_clear_line(ctl, store):
    result = ctl("recommend", "--batch", "/nowhere/q.jsonl", database=store, check=False)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1 and "/nowhere/q.jsonl: No such file" in result.stderr


def test_a_database_that_is_not_there_is_one_clear_line(ctl, store):
    url = "host=/nowhere dbname=x"
    result = ctl("recommend", "--cart", "tea", "--database", url, database=store, check=False)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1 and "/nowhere" in result.stderr


def test_a_database_of_another_name_is_one_clear_line(ctl, store, postgres):
    result = ctl("recommend", "--cart", "tea", "--database", postgres.url("missing"), database=store, check=False)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1 and '"missing" does not exist' in result.stderr


def test_a_wrong_password_is_one_clear_line_without_the_password(ctl, store):
    store.sql(
        """DO $$ BEGIN
            IF to_regrole('password_users') IS NULL THEN CREATE ROLE password_users; END IF;
            IF to_regrole('clerk') IS NULL THEN
                CREATE ROLE clerk LOGIN PASSWORD 'right' IN ROLE password_users; END IF;
        END $$"""
    )
    parts = urllib.parse.urlsplit(store.url)
    parameters = dict(urllib.parse.parse_qsl(parts.query), user="clerk", password="wrong-one")
    url = f"postgresql://{parts.path}?{urllib.parse.urlencode(parameters)}"
    result = ctl("recommend", "--cart", "tea", "--database", url, database=store, check=False)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "password authentication failed" in result.stderr and "wrong-one" not in result.stderr


@pytest.mark.parametrize(
    "method, expected",
    [("confidence", ["soap", "pot", "cup"]), ("lift", ["cup", "pot", "soap"]), ("cosine", ["pot", "soap", "cup"])],
)
def test_neighbours_can_be_scored_by_another_method(ctl, store, method, expected):
    # tea, in 40 of 100 orders, with pot (20), cup (10) and soap (50): confidence 0.4, 0.225 and 0.5; lift 2, 2.25
    # and 1; cosine of the weights 0.57, 0.45 and 0.54. The stored rows do not have soap at all.
    store.sql(
        """INSERT INTO affinity.pair_together VALUES
           (1, 1, 2, 16, 16777216, 0, 0, 0, 0, 0), (1, 1, 3, 9, 9437184, 0, 0, 0, 0, 0),
           (1, 1, 5, 20, 25165824, 0, 0, 0, 0, 0)"""
    )
    options = ["--method", method, "--set", "learn.floors=none", "--set", "recommend.weight_popularity=0", "--strict"]
    assert ids(ask(ctl, store, "--cart", "tea", *options)) == expected
    assert "soap" not in ids(ask(ctl, store, "--cart", "tea", "--strict"))


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["--limit", "0"], "--limit"),
        (["--limit", "101"], "--limit"),
        (["--limit", "ten"], "--limit"),
        (["--kind", "upside"], "--kind"),
        (["--cart", "a,,b"], "--cart"),
        (["--at", "yesterday"], "--at"),
        (["--min-confidence", "2"], "--min-confidence"),
        (["--method", "magic"], "--method"),
        (["--batch", "-", "--cart", "tea"], "--batch"),
        (["--customer", "ann", "--no-customer"], "--no-customer"),
        (["--price-min", "5", "--price-max", "4"], "--price-min"),
        (["--no-such"], "--no-such"),
        (["--cart"], "--cart"),
        (["tea"], "tea"),
    ],
)
def test_wrong_arguments_are_named(ctl, store, arguments, says):
    result = ctl("recommend", *arguments, database=store, check=False)
    assert result.returncode == 2
    assert says in result.stderr and result.stderr.count("\n") == 1
    assert result.stdout == ""
