# SPDX-License-Identifier: Apache-2.0
"""POST /v1/events: what is taken, what is refused, and that nothing acknowledged is ever lost or doubled."""

import json
import threading
import time

import pytest

from support.crash import Events, kill_often, read_only_at_times, set_read_only
from tiny_store import SQL


@pytest.fixture
def shop(database):
    database.sql(SQL)
    return database


def send(service, *events, **options):
    return service.post("/v1/events", json={"events": list(events)}, **options)


def view(number, **more):
    return {"event_id": f"v{number}", "kind": "view", "session": "s1", "product": "tea", **more}


def until(condition, timeout=20):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come true")


def test_good_events_are_stored_and_wrong_ones_refused_with_their_reasons(shop, service):
    one = service(shop)
    answer = send(
        one,
        view(1),
        {"event_id": "c1", "kind": "cart", "session": "s1", "product": "nothing known", "quantity": 2},
        view(2, kind="teleport"),
        view(3, at="2036-01-01T00:00:00Z", price=-1),
        {"kind": "usage", "customer": "ann", "feature": "export", "value": 11, "attributes": {"plan": "basic"}},
        "no object",
    )
    body = answer.json()
    assert answer.status_code == 200, body
    assert (body["accepted"], body["duplicates"], body["stored_in"]) == (3, 0, "database")
    assert body["not_retry_safe"] == 1
    assert [entry["index"] for entry in body["refused"]] == [2, 3, 5]
    assert body["refused"][0]["event_id"] == "v2"
    assert {error["field"] for error in body["refused"][1]["errors"]} == {"at", "price"}
    rows = shop.sql("SELECT kind, product, product_id, customer, quantity, data FROM affinity.event ORDER BY kind")
    assert [row[:5] for row in rows] == [
        ("1", "1", "", "", ""),
        ("3", "", "nothing known", "", "2"),
        ("14", "", "", "1", ""),
    ]
    assert json.loads(rows[2][5]) == {"feature": "export", "value": 11, "attributes": {"plan": "basic"}}


def test_a_retry_is_recognised_even_with_another_time_and_in_one_request(shop, service):
    one = service(shop)
    assert send(one, view(1), view(2), view(1)).json()["duplicates"] == 1
    again = send(one, view(2, at="2026-11-01T00:00:00Z"), view(3)).json()
    assert (again["accepted"], again["duplicates"]) == (1, 1)
    assert shop.number("SELECT count(*) FROM affinity.event") == 3


def test_lines_and_single_events_are_taken_too(shop, service):
    one = service(shop)
    lines = "".join(json.dumps(view(number)) + "\n" for number in range(3))
    answer = one.request("POST", "/v1/events", data=lines, headers={"Content-Type": "application/x-ndjson"})
    assert answer.json()["accepted"] == 3
    assert one.post("/v1/events", json=[view(7)]).json()["accepted"] == 1
    assert one.post("/v1/events", json=view(8)).json()["accepted"] == 1


def test_bodies_that_are_no_batch_are_refused_whole(shop, service):
    one = service(shop, events_batch=3)
    assert one.request(
        "POST", "/v1/events", data="{", headers={"Content-Type": "application/json"}
    ).status_code == 400
    assert send(one, *[view(number) for number in range(4)]).status_code == 413
    assert one.post("/v1/events?store=other", json=[view(1)]).status_code == 404
    assert send(one).status_code == 400
    wrong = send(one, view(1, kind="nothing"))
    assert wrong.status_code == 422 and wrong.json()["accepted"] == 0 and len(wrong.json()["refused"]) == 1
    assert one.post("/v1/events?limit=3", json=[view(1)]).status_code == 400
    assert shop.number("SELECT count(*) FROM affinity.event") == 0


def test_requests_that_come_together_are_committed_together(shop, service):
    one = service(shop)
    threads = [
        threading.Thread(target=lambda first=first: [send(one, view(first * 100 + i)) for i in range(20)])
        for first in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shop.number("SELECT count(*) FROM affinity.event") == 160
    metrics = one.get("/metrics").text
    assert 'affinity_events_total{kind="view",result="accepted"} 160' in metrics


def test_without_a_spool_an_outage_is_answered_503_and_nothing_is_half_done(shop, service):
    one = service(shop)
    assert send(one, view(1)).status_code == 200
    set_read_only(shop, True, break_off=True)
    answer = send(one, view(2))
    assert answer.status_code == 503 and answer.headers["Retry-After"]
    set_read_only(shop, False)
    until(lambda: send(one, view(2)).status_code == 200)
    assert shop.number("SELECT count(*) FROM affinity.event") == 2


def test_an_outage_is_bridged_by_the_spool_in_order_and_once(shop, service, tmp_path):
    one = service(shop, spool_directory=tmp_path / "spool")
    assert send(one, view(1)).status_code == 200
    set_read_only(shop, True, break_off=True)
    for number in range(2, 30):
        answer = send(one, view(number), view(1))
        assert answer.status_code == 202 and answer.json()["stored_in"] == "spool", answer.text
    health = one.get("/health").json()["events"]
    assert health["state"] == "spooling" and health["spool"]["records"] == 28 and health["error"]
    assert send(one, {"event_id": "r", "kind": "rejection", "customer": "ann", "product": "pot"}).status_code == 202
    one.kill()
    two = service(shop, spool_directory=tmp_path / "spool")
    assert send(two, view(30)).status_code == 202
    assert "pot" not in offered(two, product="tea", customer="ann")[0]
    set_read_only(shop, False)
    until(lambda: two.get("/health").json()["events"]["spool"]["records"] == 0)
    until(lambda: send(two, view(31)).status_code == 200)
    assert shop.number("SELECT count(*) FROM affinity.event") == 32
    health = two.get("/health").json()["events"]
    assert health["state"] == "direct" and health["error"] is None


def test_a_database_that_hangs_costs_no_more_than_commit_ms(shop, service, tmp_path):
    one = service(shop, spool_directory=tmp_path / "spool", events_commit_ms=200)
    assert send(one, view(1)).status_code == 200
    lock = threading.Thread(target=lambda: shop.sql("BEGIN; LOCK TABLE affinity.event; SELECT pg_sleep(2); COMMIT"))
    lock.start()
    time.sleep(0.3)
    before = time.monotonic()
    assert send(one, view(2)).status_code == 202
    assert send(one, view(3)).status_code == 202
    assert time.monotonic() - before < 1.5
    lock.join()
    until(lambda: one.get("/health").json()["events"]["spool"]["records"] == 0)
    assert shop.number("SELECT count(*) FROM affinity.event") == 3


def test_a_connection_that_ended_while_nothing_was_to_do_is_made_anew_without_a_failure(shop, service):
    one = service(shop)
    assert send(one, view(1)).status_code == 200
    set_read_only(shop, False, break_off=True)
    connections = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'affinityd events'"
    until(lambda: shop.number(connections) == 0)
    assert send(one, view(2)).json()["stored_in"] == "database"


def test_a_full_spool_answers_503_and_takes_again_later(shop, service, tmp_path):
    set_read_only(shop, True)
    one = service(shop, spool_directory=tmp_path / "spool", spool_limit_mb=1)
    big = {"filler": "x" * 8000}
    statuses = [
        send(one, *[view(f"{number}-{i}", attributes=big) for i in range(10)]).status_code for number in range(20)
    ]
    assert statuses[0] == 202 and statuses[-1] == 503
    assert sorted(statuses) == statuses
    set_read_only(shop, False)
    until(lambda: send(one, view("last")).status_code == 200)
    assert shop.number("SELECT count(*) FROM affinity.event") == 10 * statuses.count(202) + 1


def test_two_services_cannot_share_a_spool(shop, service, tmp_path):
    service(shop, spool_directory=tmp_path / "spool")
    two = service(shop, spool_directory=tmp_path / "spool", wait=None)
    assert two.process.wait(20) != 0
    assert "another process has the spool" in two.log()


def test_no_acknowledged_event_is_lost_or_doubled_by_20_kills(shop, service, tmp_path):
    workload = Events(shop)
    acknowledged, lost, doubled = kill_often(
        lambda: service(shop, spool_directory=tmp_path / "spool", wait=None),
        workload,
        20,
        seed=4,
        between=read_only_at_times(shop),
    )
    assert acknowledged > 500 and workload.spooled > 0
    assert (lost, doubled) == ([], [])


def offered(service, **question):
    answer = service.get("/recommend", limit=6, **question).json()
    assert answer["candidates"] == len(answer["items"]) + sum(answer["dropped"].values())
    return [item["product"] for item in answer["items"]], answer["dropped"]


def test_a_session_s_cart_and_views_count_at_once(shop, service):
    one = service(shop)
    send(one, {"kind": "cart", "session": "s1", "product": "tea"})
    items, dropped = offered(one, session="s1")
    assert items[:2] == ["pot", "cup"] and "tea" not in items and dropped["in_cart"] == 1
    assert offered(one, session="s1", cart="milk")[0][0] != "pot"
    send(one, {"kind": "cart", "session": "s1", "product": "tea", "action": "remove"})
    assert "tea" in offered(one, session="s1")[0]
    send(one, {"kind": "view", "session": "s2", "product": "tea"})
    assert offered(one, session="s2")[0][:2] == ["pot", "cup"]
    assert "tea" in offered(one, session="s3")[0]


def test_a_purchase_empties_the_session_s_cart(shop, service):
    one = service(shop)
    send(one, {"kind": "cart", "session": "s1", "product": "tea"})
    send(one, {"kind": "purchase", "session": "s1", "order": "o1"})
    assert "tea" in offered(one, session="s1")[0]


def test_a_rejected_product_is_absent_at_once_for_customer_and_session_for_75_days(shop, service):
    one = service(shop)
    assert offered(one, product="tea", customer="ann")[0][0] == "pot"
    send(one, {"kind": "rejection", "session": "s1", "customer": "ann", "product": "pot", "reason": "too dear"})
    for who in ({"customer": "ann"}, {"session": "s1"}):
        items, dropped = offered(one, product="tea", **who)
        assert "pot" not in items and dropped["rejected"] == 1
    assert "pot" in offered(one, product="tea", customer="bob", session="ann")[0]
    answer = one.get("/recommend", product="tea", customer="ann", why_not="pot").json()
    assert "rejected" in json.dumps(answer["why_not"])
    both = offered(one, product="tea", customer="ann", exclude="pot")[1]
    assert both["excluded"] == 1 and "rejected" not in both
    old = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 76 * 86400))
    send(one, {"kind": "rejection", "customer": "bob", "product": "pot", "at": old})
    assert "pot" in offered(one, product="tea", customer="bob")[0]


def test_rejections_and_sessions_are_known_after_a_restart_and_to_another_instance(shop, service):
    one, two = service(shop), service(shop)
    send(one, {"kind": "rejection", "customer": "ann", "product": "pot"})
    send(one, {"kind": "cart", "session": "s1", "product": "tea"})
    until(lambda: "pot" not in offered(two, product="tea", customer="ann")[0])
    until(lambda: offered(two, session="s1")[1]["in_cart"] == 1)
    one.kill()
    again = service(shop)
    until(lambda: "pot" not in offered(again, product="tea", customer="ann")[0])
    until(lambda: offered(again, session="s1")[1]["in_cart"] == 1)
