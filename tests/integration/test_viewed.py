# SPDX-License-Identifier: Apache-2.0
"""Relation `viewed`: sessions of events become exact counts of pairs, and these the affinities that are served."""
import itertools
import math
import random
import time

import pytest

from support.crash import Views, kill_often
from support.service import Service
from tiny_store import SQL

FAST = {"learn_session_wait_s": 0, "learn_floors": "none"}


@pytest.fixture
def shop(database):
    database.sql(SQL)
    return database


def send(service, events):
    answer = service.post("/v1/events", json={"events": events})
    assert answer.status_code == 200, answer.text
    return answer.json()


def view(event, session, product, **more):
    return {"event_id": event, "kind": "view", "session": session, "product": product, **more}


def until(condition, timeout=20):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come true")


def settle(database, timeout=60):
    """Waits until every session is counted, every row made, and all of it published."""
    until(
        lambda: database.number(
            "SELECT (SELECT count(*) FROM affinity.session_heard) + (SELECT count(*) FROM affinity.viewed_due)"
            " + (SELECT count(*) FROM affinity.state WHERE published < version)"
        )
        == 0,
        timeout,
    )


def counts_of(sessions):
    """Naive: `sessions` are sets of products."""
    single, pairs = {}, {}
    for session in sessions:
        for product in session:
            single[product] = single.get(product, 0) + 1
        for pair in itertools.combinations(sorted(session), 2):
            pairs[pair] = pairs.get(pair, 0) + 1
    return single, pairs


def counts_in(database):
    """The same from the tables."""
    single = database.sql("SELECT product, sessions FROM affinity.viewed_stat ORDER BY 1")
    pairs = database.sql("SELECT a, b, sessions FROM affinity.pair_viewed ORDER BY 1, 2")
    return (
        {int(product): int(n) for product, n in single},
        {(int(a), int(b)): int(n) for a, b, n in pairs},
    )


def affinities(service, product):
    answer = service.get(f"/v1/products/{product}/affinities?relation=viewed&limit=100")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_was_viewed_in_a_session_is_served_with_its_evidence(shop, service):
    one = service(shop, **FAST)
    events = []
    for session, products in enumerate((["tea", "pot"], ["tea", "pot", "cup"], ["tea", "milk"], ["soap"], ["tea", "pot", "tea"])):
        events += [view(f"{session}-{place}", f"s{session}", product) for place, product in enumerate(products)]
    send(one, events)
    settle(shop)
    until(lambda: affinities(one, "tea")["neighbours"] == 3)
    body = affinities(one, "tea")
    assert body["relation"] == "viewed"
    assert [item["product"] for item in body["items"]] == ["pot", "cup", "milk"]
    pot = body["items"][0]
    assert pot["score"] == pytest.approx(3 / math.sqrt(4 * 3), rel=1e-6)
    evidence = pot["evidence"]
    assert evidence["relation"] == "viewed"
    assert [evidence[name] for name in ("pair_orders", "product_orders", "other_orders", "total_orders")] == [3, 4, 3, 5]
    assert evidence["confidence"] == pytest.approx(0.75) and evidence["lift"] == pytest.approx(3 * 5 / (4 * 3))
    assert evidence["revenue"] is None and evidence["margin"] is None and evidence["half_life_days"] is None
    assert evidence["window"]["from"] is not None
    assert one.get("/health").json()["stores"][0]["sessions"] == 5
    filtered = one.get("/v1/products/tea/affinities?relation=viewed&min_confidence=0.5").json()
    assert [item["product"] for item in filtered["items"]] == ["pot"]


def test_sessions_that_go_on_late_and_repeated_events_and_carts_count_once(shop, service):
    one = service(shop, **FAST)
    first = [view("a1", "s1", "tea", at="2026-11-20T10:00:00Z"), view("a2", "s1", "pot", at="2026-11-20T10:05:00Z")]
    send(one, first)
    settle(shop)
    assert counts_in(shop) == counts_of([{1, 2}])
    send(one, first)  # repeated
    send(one, [view("a0", "s1", "milk", at="2026-11-20T09:00:00Z")])  # late
    send(one, [{"event_id": "c1", "kind": "cart", "session": "s1", "product": "cup"}])
    send(one, [{"event_id": "c2", "kind": "cart", "action": "remove", "session": "s1", "product": "soap"}])
    send(one, [view("b1", "s2", "nothing known"), view("b2", "s2", "tea")])
    settle(shop)
    assert counts_in(shop) == counts_of([{1, 2, 3, 4}, {1}])
    row = shop.sql("SELECT products FROM affinity.session WHERE cardinality(counted) = 4")
    assert row == [("{4,1,2,3}",)]
    # A product counts in the views that are counted after it became known.
    known = one.request("PUT", "/v1/products", json={"products": [{"id": "nothing known", "price": 100}]})
    assert known.status_code == 200, known.text
    send(one, [view("b3", "s2", "pot"), view("b4", "s2", "nothing known")])
    settle(shop)
    known = shop.number("SELECT product FROM affinity.product WHERE id = 'nothing known'")
    assert counts_in(shop) == counts_of([{1, 2, 3, 4}, {1, 2, known}])
    assert shop.number("SELECT sessions FROM affinity.viewed_state") == 2


def import_sessions(ctl, database, tmp_path, sessions):
    """`sessions`: {id: [(product, seconds)]}."""
    file = tmp_path / "sessions.csv"
    rows = [f"{session},{product},{at}\n" for session, views in sessions.items() for product, at in views]
    file.write_text("session_id,item_id,ts\n" + "".join(rows))
    return ctl("import", "sessions", "--quiet", "--store", "main", str(file), database=database)


def verified(ctl, database):
    done = ctl("verify", "--quiet", database=database, check=False)
    return done.returncode == 0 and "all equal" in done.stdout, done.stdout + done.stderr


def counted_sessions(database):
    """What the sessions' own views say, cut as affinity.session_counts cuts them."""
    rows = database.sql("SELECT array_to_string(products, ',') FROM affinity.session WHERE counted <> '{}'")
    sessions = []
    for (products,) in rows:
        newest = [int(product) for product in products.split(",")][-200:]
        distinct = []
        for product in reversed(newest):
            if product not in distinct:
                distinct.append(product)
        sessions.append(set(distinct[:50]))
    return sessions


def test_imported_sessions_count_like_others_and_are_replaced_whole(shop, service, ctl, tmp_path):
    one = service(shop, **FAST)
    send(one, [view("e1", "s1", "tea"), view("e2", "s1", "pot")])
    now = int(time.time())
    import_sessions(ctl, shop, tmp_path, {"i1": [("tea", now), ("cup", now + 1)], "i2": [("milk", now)]})
    settle(shop)
    assert counts_in(shop) == counts_of([{1, 2}, {1, 3}, {4}])
    import_sessions(ctl, shop, tmp_path, {"i1": [("tea", now), ("soap", now + 1), ("pot", now + 2)]})
    settle(shop)
    assert counts_in(shop) == counts_of([{1, 2}, {1, 2, 5}, {4}])
    until(lambda: {item["product"] for item in affinities(one, "tea")["items"]} == {"pot", "soap"})
    assert affinities(one, "cup")["items"] == []


def test_only_the_newest_products_of_a_long_session_count(shop, service, ctl, tmp_path):
    now = int(time.time())
    views = [(f"p{number % 70}", now + number) for number in range(260)]
    import_sessions(ctl, shop, tmp_path, {"long": views})
    service(shop, **FAST)
    settle(shop)
    names = dict(shop.sql("SELECT product, id FROM affinity.product"))
    single, pairs = counts_in(shop)
    assert {names[str(product)] for product in single} == {f"p{number % 70}" for number in range(210, 260)}
    assert len(pairs) == 50 * 49 // 2


def test_sessions_older_than_the_window_are_taken_back_and_go(shop, service, ctl, tmp_path):
    now = int(time.time())
    old = now - 40 * 86400
    import_sessions(ctl, shop, tmp_path, {"old": [("tea", old), ("pot", old)], "new": [("tea", now), ("cup", now)]})
    one = service(shop, learn_session_days=60, **FAST)
    settle(shop)
    assert counts_in(shop) == counts_of([{1, 2}, {1, 3}])
    assert one.stop() == 0
    service(shop, learn_session_days=30, **FAST)
    until(lambda: shop.number("SELECT count(*) FROM affinity.session") == 1)
    settle(shop)
    assert counts_in(shop) == counts_of([{1, 3}])
    # A late event of a session that has gone does not count, and the session goes again.
    import_sessions(ctl, shop, tmp_path, {"old": [("tea", old), ("soap", old)]})
    until(lambda: shop.number("SELECT count(*) FROM affinity.session") == 1)
    settle(shop)
    assert counts_in(shop) == counts_of([{1, 3}])


def test_a_rebuild_counts_anew_and_verify_finds_what_is_wrong(shop, service, ctl, tmp_path):
    now = int(time.time())
    chance = random.Random(7)
    names = ["tea", "pot", "cup", "milk", "soap", "lamp"]
    sessions = {f"s{number}": [(chance.choice(names), now + place) for place in range(chance.randint(1, 5))] for number in range(300)}
    import_sessions(ctl, shop, tmp_path, sessions)
    shown = ctl("rebuild", "--quiet", "--set", "learn.floors=none", database=shop).stdout
    assert "sessions         300" in shown, shown
    assert shop.number("SELECT count(*) FROM affinity.session_heard") == 0
    expected = counts_of([{names.index(product) + 1 for product, _ in views} for views in sessions.values()])
    assert counts_in(shop) == expected
    equal, text = verified(ctl, shop)
    assert equal and "pair_viewed" in text, text
    ctl("learn", "--once", "--quiet", "--set", "learn.floors=none", database=shop)
    before = shop.sql("SELECT * FROM affinity.neighbour_viewed ORDER BY product")
    assert len(before) == 6
    for harm, name in (
        ("UPDATE affinity.pair_viewed SET sessions = sessions + 1 WHERE a = 1 AND b = 2", "pair_viewed"),
        ("DELETE FROM affinity.viewed_stat WHERE product = 3", "viewed_stat"),
        ("UPDATE affinity.session SET counted = '{1}' WHERE ctid = (SELECT min(ctid) FROM affinity.session WHERE counted <> '{1}')", "session"),
        ("INSERT INTO affinity.pair_viewed VALUES (1, 90, 91, 5)", "pair_viewed"),
    ):
        shop.sql(harm)
        equal, text = verified(ctl, shop)
        assert not equal and f"{name}: " in text, text
    ctl("rebuild", "--quiet", "--set", "learn.floors=none", database=shop)
    assert verified(ctl, shop)[0]
    assert counts_in(shop) == expected
    ctl("learn", "--once", "--quiet", "--set", "learn.floors=none", database=shop)
    assert shop.sql("SELECT * FROM affinity.neighbour_viewed ORDER BY product") == before


def test_rows_are_what_the_counts_give(shop, service, ctl, tmp_path):
    one = service(shop, **FAST)
    chance = random.Random(11)
    names = ["tea", "pot", "cup", "milk", "soap", "lamp", "gone"]
    number = 0
    for _ in range(6):
        events = []
        for _ in range(120):
            number += 1
            events.append(view(f"e{number}", f"s{chance.randint(1, 60)}", chance.choice(names)))
        send(one, events)
        time.sleep(chance.uniform(0, 0.4))
    settle(shop)
    single, pairs = counts_in(shop)
    assert (single, pairs) == counts_of(counted_sessions(shop))
    for product in range(1, 8):
        def shown():
            return {
                item["product"]: (item["evidence"]["pair_orders"], item["evidence"]["product_orders"], item["evidence"]["other_orders"])
                for item in affinities(one, names[product - 1])["items"]
            }
        expected = {
            names[other - 1]: (pairs[min(product, other), max(product, other)], single[product], single[other])
            for other in range(1, 8)
            if other != product and (min(product, other), max(product, other)) in pairs
        }
        until(lambda: shown() == expected)


TRUE_SESSIONS = """SELECT session, array_to_string(array_agg(DISTINCT product), ',') FROM affinity.event
    WHERE kind = 1 AND product IS NOT NULL GROUP BY 1"""


def sessions_of_events(database):
    return [{int(product) for product in products.split(",")} for _, products in database.sql(TRUE_SESSIONS)]


def test_kills_at_random_moments_lose_and_double_no_session(build, shop, ctl, tmp_path):
    (tmp_path / "spool").mkdir()
    config = {**FAST, "spool_directory": tmp_path / "spool", "learn_lease_s": 2}

    def start():
        return Service(build, shop, tmp_path / "log", config=config)

    workload = Views(shop, ["tea", "pot", "cup", "milk", "soap", "lamp", "gone"])
    acknowledged, lost, doubled = kill_often(start, workload, 12, 20261121)
    assert acknowledged > 0 and (lost, doubled) == ([], [])
    assert counts_in(shop) == counts_of(sessions_of_events(shop))
    ctl("rebuild", "--quiet", "--set", "learn.floors=none", database=shop)
    assert verified(ctl, shop)[0]


def test_several_services_and_an_import_beside_them_count_each_session_once(shop, service, ctl, tmp_path):
    """Three services take events, one leads; sessions are imported and counted anew at the same time."""
    services = [service(shop, **FAST) for _ in range(3)]
    workloads = [Views(shop, ["tea", "pot", "cup", "milk", "soap"], sessions=400, threads=1) for _ in services]
    for number, (one, workload) in enumerate(zip(services, workloads)):
        workload.next_number = 1 + number * 1000000
        workload.begin(one)
    now = int(time.time())
    for round in range(3):
        views = {f"i{session}": [(name, now + round) for name in ("tea", "milk", "lamp")[: 1 + (session + round) % 3]] for session in range(300)}
        import_sessions(ctl, shop, tmp_path, views)
        ctl("rebuild", "--quiet", "--set", "learn.floors=none", database=shop)
    for workload in workloads:
        workload.end()
        assert not workload.failures, workload.failures[:3]
    settle(shop)
    imported = [{1, 4, 6} if (session + 2) % 3 == 2 else {1, 4} if (session + 2) % 3 == 1 else {1} for session in range(300)]
    assert counts_in(shop) == counts_of(sessions_of_events(shop) + imported)
    equal, text = verified(ctl, shop)
    assert equal, text
    total = shop.number("SELECT sessions FROM affinity.viewed_state")
    for one in services:
        until(lambda: one.get("/health").json()["stores"][0]["sessions"] == total)


def metric(service, name):
    line = [line for line in service.get("/metrics").text.splitlines() if line.startswith(name + "{")]
    return float(line[0].split()[-1])


def test_sessions_reach_the_memory_without_a_restart(shop, service):
    one = service(shop, database_sessions_s=1, **FAST)
    assert metric(one, "affinity_index_sessions_held") == 0
    events = []
    for session in range(30):
        events += [view(f"{session}-1", f"s{session}", "lamp"), view(f"{session}-2", f"s{session}", "cup")]
    send(one, events)
    until(lambda: metric(one, "affinity_index_sessions_held") == 30)
    assert metric(one, "affinity_index_sessions") == 30
    # Also after all was loaded anew, and with a product that is new since then.
    shop.sql("UPDATE affinity.state SET generation = generation + 1")
    assert one.request("PUT", "/v1/products", json={"products": [{"id": "bulb", "price": 100}]}).status_code == 200
    events = []
    for session in range(60):
        events += [view(f"b{session}-1", f"t{session}", "lamp"), view(f"b{session}-2", f"t{session}", "bulb")]
    send(one, events)
    until(lambda: metric(one, "affinity_index_sessions_held") == 90)
    until(lambda: "bulb" in [item["product"] for item in affinities(one, "lamp")["items"]])
    assert '"event":"sessions"' not in one.log()
