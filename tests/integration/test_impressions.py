# SPDX-License-Identifier: Apache-2.0
"""What was shown and not clicked ranks lower, for the one it was shown to."""

import time

import pytest

from tiny_store import SQL

RECOMMENDATION = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def shop(database):
    database.sql(SQL)
    return database


def event(kind, product, **who):
    return {"kind": kind, "recommendation_id": RECOMMENDATION, "product": product, **who}


def ago(hours):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - hours * 3600))


def send(service, *events):
    answer = service.post("/v1/events", json={"events": list(events)})
    assert answer.status_code == 200 and not answer.json()["refused"], answer.text


def offered(service, **question):
    return [item["product"] for item in service.get("/recommend", limit=2, product="tea", **question).json()["items"]]


def until(condition, timeout=20):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


def show_pot_three_times(service, **who):
    send(service, *(event("impression", "pot", at=ago(0.01 * n), **who) for n in range(3)))


def strict(service, shop, **config):
    return service(shop, recommend_weight_impressions=0.9, **config)


def test_a_product_that_was_shown_and_not_clicked_ranks_lower_for_whom_it_was_shown_to(shop, service):
    one = strict(service, shop)
    assert offered(one, session="s1") == ["pot", "cup"]
    show_pot_three_times(one, session="s1", customer="ann")
    assert offered(one, session="s1") == ["cup", "pot"]
    assert offered(one, customer="ann")[0] == offered(one, customer="ann", session="s1")[0] == "cup"
    assert offered(one, session="s2") == offered(one, customer="bob", session="s3") == ["pot", "cup"]


def test_the_default_takes_a_little_and_says_how_much(shop, service):
    one = service(shop)
    question = {"product": "tea", "session": "s1", "limit": 2, "explain": "full"}
    before = one.get("/recommend", **question).json()["items"][0]
    show_pot_three_times(one, session="s1")
    after = one.get("/recommend", **question).json()["items"][0]
    assert before["product"] == after["product"] == "pot"
    assert 0.8 * before["score"] < after["score"] < 0.85 * before["score"]
    term = after["terms"][-1]
    assert term["source"] == "impressions" and "via" not in term
    assert -0.2 <= term["weight"] < -0.19 and 0.86 < term["value"] < 0.88
    assert sum(term["weight"] * term["value"] for term in after["terms"]) == pytest.approx(after["score"], abs=1e-5)


@pytest.mark.parametrize("kind", ["click", "acceptance", "view", "cart"])
def test_a_click_takes_it_back(shop, service, kind):
    one = strict(service, shop)
    show_pot_three_times(one, session="s1")
    send(one, event(kind, "pot", session="s1"))
    assert offered(one, session="s1", cart="milk") == offered(one, session="s2", cart="milk")
    show_pot_three_times(one, session="s2")
    assert offered(one, session="s2") == ["cup", "pot"]


def test_old_impressions_count_less_and_those_of_nobody_not_at_all(shop, service):
    one = strict(service, shop, recommend_impression_half_life_hours=1)
    send(one, *(event("impression", "pot", session="s1", at=ago(5 + n)) for n in range(3)))
    send(one, event("impression", "pot"), {"kind": "impression", "recommendation_id": RECOMMENDATION, "session": "s1"})
    assert offered(one, session="s1") == ["pot", "cup"]


def test_popular_products_that_were_shown_give_way_to_the_next_popular_ones(shop, service):
    one = strict(service, shop)

    def popular():
        return [item["product"] for item in one.get("/recommend", limit=3, session="s1").json()["items"]]

    assert popular() == ["soap", "tea", "milk"]
    send(one, event("impression", "soap", session="s1"), event("impression", "soap", session="s1", at=ago(0.1)))
    assert popular() == ["tea", "milk", "pot"]


def test_impressions_are_known_after_a_restart_and_to_another_instance(shop, service):
    one, two = strict(service, shop), strict(service, shop)
    show_pot_three_times(one, customer="ann")
    show_pot_three_times(one, session="s1")
    until(lambda: offered(two, customer="ann")[0] == "cup" and offered(two, session="s1")[0] == "cup")
    send(one, event("click", "pot", session="s1"))
    until(lambda: offered(two, session="s1")[0] == "pot")
    one.kill()
    again = strict(service, shop)
    until(lambda: offered(again, customer="ann")[0] == "cup")
    assert offered(again, session="s1") == ["pot", "cup"]
