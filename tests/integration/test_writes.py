# SPDX-License-Identifier: Apache-2.0
"""Orders, products and customers by the API: what is taken, what is refused and why, and what a 2xx promises."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

import pytest
import requests

from support.database import Database, PrivatePostgres
from support.programs import environment
from tiny_store import SQL

DAY_S = 86400
MOST = 10**15  # minor units of a price, and of what an order is worth


@pytest.fixture
def tiny(database):
    database.sql(SQL)
    return database


@pytest.fixture
def one(service, tiny):
    return service(tiny, learn_enabled="false")  # so that the queue of changed orders can be looked at


def order(id="o1", **changes):
    entry = {"id": id, "customer": "ann", "ordered_at": "2026-11-20T09:00:00Z",
             "lines": [{"product": "tea", "quantity": 2, "unit_price": 500}]}
    entry.update(changes)
    return {name: value for name, value in entry.items() if value is not ...}


def line(**changes):
    entry = {"product": "tea", "quantity": 1, "unit_price": 500}
    entry.update(changes)
    return {name: value for name, value in entry.items() if value is not ...}


def put(one, what, entries, **options):
    method = "POST" if what == "orders" else "PUT"
    return one.request(method, f"/v1/{what}", json=entries, **options)


def written(answer, status=200):
    assert answer.status_code == status, answer.text
    return [result["status"] for result in answer.json()["results"]]


def stored(database, id):
    return database.sql(
        "SELECT o.id, c.id, o.ordered_at AT TIME ZONE 'UTC', p.id, l.quantity, l.unit_price, l.unit_cost, l.discounted"
        " FROM affinity.orders o JOIN affinity.order_line l USING (store, order_key) JOIN affinity.product p USING (product)"
        " LEFT JOIN affinity.customer c ON c.customer = o.customer"
        f" WHERE o.id = '{id}' ORDER BY p.id, l.quantity, l.unit_price"
    )


def until(condition, timeout=15, message="it did not happen"):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(message)


@contextlib.contextmanager
def transaction(database, text):
    """Another session's transaction that has run `text` and is not committed."""
    with subprocess.Popen(["psql", database.url, "-XqAt"], env=environment(), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as session:
        session.stdin.write(f"BEGIN; {text};\n\\echo there\n")
        session.stdin.flush()
        assert session.stdout.readline().strip() == "there"
        yield
        session.stdin.write("ROLLBACK;\n")
        session.stdin.close()


def test_an_order_is_written_replaced_and_left_alone(one, tiny):
    answer = put(one, "orders", {"orders": [order()]})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "store": "main",
        "counts": {"created": 1, "changed": 0, "unchanged": 0, "refused": 0},
        "results": [{"index": 0, "id": "o1", "status": "created", "errors": []}],
    }
    assert stored(tiny, "o1") == [("o1", "ann", "2026-11-20 09:00:00", "tea", "2", "500", "", "f")]
    assert tiny.number("SELECT count(*) FROM affinity.order_outbox") == 1
    assert written(put(one, "orders", [order()])) == ["unchanged"]
    assert tiny.number("SELECT count(*) FROM affinity.order_outbox") == 1
    changed = order(lines=[line(quantity=1, discounted=True, unit_cost=200), line(product="brand-new", unit_price=0)])
    assert written(put(one, "orders", changed)) == ["changed"]
    assert stored(tiny, "o1") == [
        ("o1", "ann", "2026-11-20 09:00:00", "brand-new", "1", "0", "", "f"),
        ("o1", "ann", "2026-11-20 09:00:00", "tea", "1", "500", "200", "t"),
    ]
    assert tiny.number("SELECT count(*) FROM affinity.order_outbox") == 2
    assert written(put(one, "orders", order(lines=[]))) == ["changed"]
    assert stored(tiny, "o1") == []


def test_times_with_an_offset_and_guests_and_returns(one, tiny):
    entries = [
        order("a", ordered_at="2026-11-20T11:00:00+02:00", customer=None),
        order("b", ordered_at="2026-11-20T09:00:00.123456-00:30", customer=...),
        order("c", customer="new one", lines=[line(quantity=-3)]),
        order("d", cancels=True, lines=[line(quantity=-3)], currency="EUR", store="main"),
    ]
    assert written(put(one, "orders", entries)) == ["created"] * 4
    assert stored(tiny, "a")[0][1:3] == ("", "2026-11-20 09:00:00")
    assert stored(tiny, "b")[0][2] == "2026-11-20 09:30:00.123456"
    assert stored(tiny, "c")[0][4] == "-3"
    assert tiny.number("SELECT count(*) FROM affinity.orders WHERE cancels") == 1
    assert tiny.number("SELECT count(*) FROM affinity.customer WHERE id = 'new one'") == 1


def rfc3339(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


BAD_ORDERS = {
    "no object": ([], "", "an object"),
    "a text": ("o1", "", "an object"),
    "null": (None, "", "an object"),
    "no id": (order(...), "id", "missing"),
    "empty id": (order(""), "id", "1 to 128 bytes"),
    "id with a control": (order("a\tb"), "id", "control"),
    "id with DEL": (order("a\x7fb"), "id", "control"),
    "id too long": (order("x" * 129), "id", "1 to 128 bytes"),
    "id too long in bytes": (order("é" * 65), "id", "1 to 128 bytes"),
    "id a number": (order(17), "id", "must be a text"),
    "customer a number": (order(customer=5), "customer", "must be a text"),
    "customer empty": (order(customer=""), "customer", "1 to 128 bytes"),
    "unknown member": (order(colour="red"), "colour", "not a member"),
    "no time": (order(ordered_at=...), "ordered_at", "missing"),
    "time a number": (order(ordered_at=1700000000), "ordered_at", "a time as text"),
    "time without offset": (order(ordered_at="2026-11-20T09:00:00"), "ordered_at", "offset"),
    "only a date": (order(ordered_at="2026-11-20"), "ordered_at", "offset"),
    "30 February": (order(ordered_at="2026-02-30T09:00:00Z"), "ordered_at", "must be a time"),
    "hour 25": (order(ordered_at="2026-02-20T25:00:00Z"), "ordered_at", "must be a time"),
    "before 1970": (order(ordered_at="1969-12-31T23:59:59Z"), "ordered_at", "from 1970"),
    "in two days": (order(ordered_at=rfc3339(time.time() + 2 * DAY_S)), "ordered_at", "one day from now"),
    "in the year 9999": (order(ordered_at="9999-12-31T23:59:59Z"), "ordered_at", "one day from now"),
    "no lines": (order(lines=...), "lines", "missing"),
    "lines an object": (order(lines={}), "lines", "an array"),
    "10001 lines": (order(lines=[line()] * 10001), "lines", "at most 10000"),
    "line a text": (order(lines=["tea"]), "lines[0]", "an object"),
    "line without product": (order(lines=[line(product=...)]), "lines[0].product", "missing"),
    "line without quantity": (order(lines=[line(quantity=...)]), "lines[0].quantity", "missing"),
    "line without price": (order(lines=[line(unit_price=...)]), "lines[0].unit_price", "missing"),
    "second line wrong": (order(lines=[line(), line(quantity=0)]), "lines[1].quantity", "not be 0"),
    "quantity real": (order(lines=[line(quantity=1.5)]), "lines[0].quantity", "a whole number"),
    "quantity text": (order(lines=[line(quantity="1")]), "lines[0].quantity", "a whole number"),
    "quantity true": (order(lines=[line(quantity=True)]), "lines[0].quantity", "a whole number"),
    "quantity too large": (order(lines=[line(quantity=2**31)]), "lines[0].quantity", "must be from"),
    "price negative": (order(lines=[line(unit_price=-1)]), "lines[0].unit_price", "must be from 0"),
    "price null": (order(lines=[line(unit_price=None)]), "lines[0].unit_price", "a whole number"),
    "price real": (order(lines=[line(unit_price=4.99)]), "lines[0].unit_price", "a whole number"),
    "price beyond 2^53": (order(lines=[line(unit_price=2**53 + 1)]), "lines[0].unit_price", "must be from"),
    "price beyond the limit": (order(lines=[line(unit_price=MOST + 1)]), "lines[0].unit_price", "must be from"),
    "cost negative": (order(lines=[line(unit_cost=-1)]), "lines[0].unit_cost", "must be from 0"),
    "line worth too much": (order(lines=[line(unit_price=MOST // 2, quantity=3)]), "lines[0]", "worth more"),
    "return worth too much": (order(lines=[line(unit_price=MOST, quantity=-2**31 + 1)]), "lines[0]", "worth more"),
    "lines worth too much": (order(lines=[line(unit_price=MOST), line(unit_price=1)]), "lines[1]", "worth more"),
    "discounted a text": (order(lines=[line(discounted="yes")]), "lines[0].discounted", "true or false"),
    "unknown member of a line": (order(lines=[line(size=4)]), "lines[0].size", "not a member"),
    "cancels with a purchase": (order(cancels=True), "lines[0].quantity", "must be negative"),
    "cancels a number": (order(cancels=1), "cancels", "true or false"),
    "another currency": (order(currency="USD"), "currency", "must be EUR"),
    "another store": (order(store="other"), "store", "must be main"),
}


def test_each_wrong_order_is_refused_with_its_reason_and_harms_no_other(one, tiny):
    names = list(BAD_ORDERS)
    entries = []
    for i, name in enumerate(names):
        entries += [order(f"good {i}"), BAD_ORDERS[name][0]]
    answer = put(one, "orders", entries)
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert answer.json()["counts"] == {"created": len(names), "changed": 0, "unchanged": 0, "refused": len(names)}
    for i, name in enumerate(names):
        good, bad = results[2 * i], results[2 * i + 1]
        assert good["status"] == "created" and good["id"] == f"good {i}", (name, good)
        assert bad["index"] == 2 * i + 1 and bad["status"] == "refused", (name, bad)
        _, field, reason = BAD_ORDERS[name]
        assert any(error["field"] == field and reason in error["reason"] for error in bad["errors"]), (name, bad)
    assert tiny.number("SELECT count(*) FROM affinity.orders") == len(names)
    assert tiny.number("SELECT count(*) FROM affinity.orders WHERE id !~ '^good'") == 0
    assert tiny.number("SELECT count(*) FROM affinity.order_line") == len(names)


def test_all_refused_is_422(one, tiny):
    for name in ("id too long", "quantity real", "10001 lines"):
        answer = put(one, "orders", [BAD_ORDERS[name][0]])
        assert answer.status_code == 422 and answer.headers["Content-Type"] == "application/problem+json"
        body = answer.json()
        assert body["type"] == "urn:affinityd:problem:all_refused" and body["counts"]["refused"] == 1
        assert body["results"][0]["errors"][0]["field"] == BAD_ORDERS[name][1]
    assert tiny.number("SELECT count(*) FROM affinity.orders") == 0


def test_what_is_not_json_in_an_entry_harms_no_other(one, tiny):
    texts = [json.dumps(order("1")), '{"id": "2", "id": "2"}', '{"id": "\\u0000"}', '{"id": "\\ud800"}', "nonsense",
             '{"a": 1e999}', "{" * 100 + "}" * 100, json.dumps(order("3"))]
    for form, body in (("application/json", "[" + ",".join(texts) + "]"), ("application/x-ndjson", "\n".join(texts))):
        answer = one.request("POST", "/v1/orders", data=body.encode(), headers={"Content-Type": form})
        assert answer.status_code == 200, answer.text
        statuses = [result["status"] == "refused" for result in answer.json()["results"]]
        assert statuses == [False] + [True] * 6 + [False], answer.text
        assert all(result["errors"] for result in answer.json()["results"][1:-1])
    assert tiny.number("SELECT count(*) FROM affinity.orders") == 2


def test_an_id_twice_in_a_batch_is_refused_the_second_time(one, tiny):
    entries = [order("a"), order("b"), order("a", lines=[line(quantity=9)])]
    answer = put(one, "orders", entries)
    assert written(answer) == ["created", "created", "refused"]
    assert "entry 0" in answer.json()["results"][2]["errors"][0]["reason"]
    assert stored(tiny, "a")[0][4] == "2"


IDS = ["é", "日本語", "🛍️", "a'b", 'a"b', "a\\b", "%00", "${x}", "\u2028", "x" * 128, " ", "-1", "../..", "<script>"]


def test_ids_may_be_any_text(one, tiny):
    entries = [order(id, customer=id, lines=[line(product=id)]) for id in IDS]
    assert written(put(one, "orders", entries)) == ["created"] * len(IDS)
    for table in ("orders", "customer", "product"):
        assert set(IDS) <= {row[0] for row in tiny.sql(f"SELECT id FROM affinity.{table}")}
    assert written(put(one, "orders", entries)) == ["unchanged"] * len(IDS)


BODIES = [
    (b"", 400), (b" ", 400), (b"[", 400), (b"[1", 400), (b"{}x", 400), (b'"a"', 400), (b"17", 400), (b"[]", 400),
    (b'{"orders": []}', 400), (b'{"orders": {}}', 400), (b'{"orders": [], "more": 1}', 400), (b"[{}]", 422), (b"{}", 422),
    (b"\xef\xbb\xbf[]", 400), (b"\xff\xfe", 400), (b"[\x00]", 400),
]


def test_a_body_that_is_no_batch_is_refused(one, tiny):
    for body, status in BODIES:
        answer = one.request("POST", "/v1/orders", data=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == status, (body, answer.text)
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_limits_of_a_request(service, tiny):
    one = service(tiny, write_batch=10, write_body_bytes=20000)
    assert written(put(one, "orders", [order(str(i)) for i in range(10)])) == ["created"] * 10
    answer = put(one, "orders", [order(str(i)) for i in range(11)])
    assert answer.status_code == 413 and "at most 10 entries" in answer.text
    body = json.dumps([order("long")]).encode()
    padded = body + b" " * (20000 - len(body))
    headers = {"Content-Type": "application/json"}
    assert one.request("POST", "/v1/orders", data=padded, headers=headers).status_code == 200
    assert one.request("POST", "/v1/orders", data=padded + b" ", headers=headers).status_code == 413
    assert one.request("POST", "/v1/orders", data=iter([padded, b" "]), headers=headers).status_code == 413
    assert one.request("POST", "/v1/orders", data=body, headers={"Content-Type": "text/plain"}).status_code == 415
    assert one.request("POST", "/v1/orders", data=body, headers={**headers, "Content-Encoding": "gzip"}).status_code == 415
    assert put(one, "orders", [order()], params={"storr": "main"}).status_code == 400
    assert one.request("PUT", "/v1/orders", json=[order()]).status_code == 405
    assert one.request("GET", "/v1/orders").headers["Allow"] == "POST, OPTIONS"


def test_stores_are_chosen_by_name(service, tiny, ctl):
    tiny.sql("INSERT INTO affinity.store (store, name, currency) VALUES (2, 'zweiter', 'JPY');"
             "INSERT INTO affinity.catalogue_state (store) VALUES (2)")
    from tiny_store import partitions

    tiny.sql(partitions(2))
    one = service(tiny)
    assert put(one, "orders", [order(currency="JPY")], params={"store": "zweiter"}).json()["store"] == "zweiter"
    assert tiny.sql("SELECT store FROM affinity.orders") == [("2",)]
    answer = put(one, "orders", [order()], params={"store": "nowhere"})
    assert answer.status_code == 404 and "affinityctl" in answer.json()["detail"]


def counters(one, name):
    for row in one.get("/metrics").text.splitlines():
        if row.startswith(name + " ") or row.startswith(name + "{"):
            return float(row.split()[-1])
    raise AssertionError(f"no metric {name}")


def test_the_same_key_gives_the_same_answer_and_changes_nothing(one, tiny):
    key = {"Idempotency-Key": "order-4711/1"}
    first = put(one, "orders", [order(), order(17)], headers=key)
    assert written(first) == ["created", "refused"] and "Idempotency-Replayed" not in first.headers
    assert written(put(one, "orders", [order(lines=[line(quantity=7)])])) == ["changed"]
    again = put(one, "orders", [order(), order(17)], headers=key)
    assert again.status_code == 200 and again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert stored(tiny, "o1")[0][4] == "7"
    other = put(one, "orders", [order("o2")], headers=key)
    assert other.status_code == 409 and other.json()["type"] == "urn:affinityd:problem:conflict"
    assert stored(tiny, "o2") == []
    refused = put(one, "orders", [order(17)], headers={"Idempotency-Key": "x"})
    assert refused.status_code == 422
    replayed = put(one, "orders", [order(17)], headers={"Idempotency-Key": "x"})
    assert replayed.status_code == 422 and replayed.content == refused.content
    assert replayed.headers["Content-Type"] == "application/problem+json"
    assert counters(one, "affinity_write_replayed_total") == 2


def test_keys_are_visible_characters(one):
    head = "POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
    for key in ("", "a b", "é", "x" * 129):
        with socket.create_connection(("127.0.0.1", one.port), timeout=5) as client:
            client.sendall((head + f"Idempotency-Key: {key}\r\n\r\n[]").encode())
            assert client.recv(100).startswith(b"HTTP/1.1 400")


def test_the_same_key_at_once_is_carried_out_once(one, tiny):
    """The second waits for the first, on the row that it has taken."""
    answers = []

    def send(n):
        for i in range(5):
            answers.append(put(one, "orders", [order(f"k{i}", lines=[line(quantity=3)])],
                               headers={"Idempotency-Key": f"key {i}".replace(" ", "-")}))

    threads = [threading.Thread(target=send, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 5
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 5
    assert all(written(answer) == ["created"] for answer in answers)
    assert tiny.number("SELECT count(*) FROM affinity.order_outbox") == 5


def test_a_key_that_another_instance_is_working_on_is_409(one, tiny):
    """Another instance's transaction holds the key."""
    with transaction(tiny, "INSERT INTO affinity.idempotency VALUES (1, 'busy', 'x', 0, '')"):
        answer = put(one, "orders", [order()], headers={"Idempotency-Key": "busy"})
    assert answer.status_code == 409 and int(answer.headers["Retry-After"]) >= 1, answer.text
    assert written(put(one, "orders", [order()], headers={"Idempotency-Key": "busy"})) == ["created"]


def test_old_keys_are_thrown_away(service, tiny):
    tiny.sql("INSERT INTO affinity.idempotency VALUES (1, 'old', 'x', 200, 'y', now() - interval '25 hours'),"
             " (1, 'young', 'x', 200, 'y', now() - interval '23 hours')")
    one = service(tiny, write_threads=1)
    assert written(put(one, "orders", [order()])) == ["created"]
    until(lambda: tiny.sql("SELECT key FROM affinity.idempotency") == [("young",)])


def test_many_clients_at_once_write_what_one_after_the_other_would(service, tiny):
    """Orders of eight customers, in singles and batches, some of them twice: each is there as it was sent last by its
    client, and every change has its row in the outbox."""
    one = service(tiny, write_threads=3, http_workers=2, learn_enabled="false")
    last, failures = {}, []

    def send(client):
        dice = random.Random(client)
        for _ in range(25):
            entries = []
            for _ in range(dice.choice([1, 1, 1, 5, 20])):
                id = f"{client}-{dice.randrange(30)}"
                if any(entry["id"] == id for entry in entries):
                    continue
                lines = [line(product=f"p{dice.randrange(40)}", quantity=dice.choice([1, 2, 5, -1]),
                              unit_price=dice.randrange(10000)) for _ in range(dice.randrange(1, 4))]
                entries.append(order(id, customer=f"customer {dice.randrange(8)}", lines=lines))
            answer = put(one, "orders", entries)
            if answer.status_code != 200 or "refused" in written(answer):
                failures.append(answer.text)
            last.update({entry["id"]: entry for entry in entries})

    threads = [threading.Thread(target=send, args=(client,)) for client in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert tiny.number("SELECT count(*) FROM affinity.orders") == len(last)
    rows = tiny.sql("SELECT o.id, c.id, json_agg(p.id || ' ' || l.quantity || ' ' || l.unit_price ORDER BY l.line)"
                    " FROM affinity.orders o JOIN affinity.order_line l USING (store, order_key)"
                    " JOIN affinity.product p USING (product) JOIN affinity.customer c ON c.customer = o.customer"
                    " GROUP BY 1, 2")
    for id, customer, lines in rows:
        wanted = [f"{entry['product']} {entry['quantity']} {entry['unit_price']}" for entry in last[id]["lines"]]
        assert sorted(json.loads(lines)) == sorted(wanted) and customer == last[id]["customer"]
    # Units taken back never exceed what was bought.
    assert tiny.number("SELECT count(*) FROM affinity.order_line WHERE quantity > 0 AND returned > quantity") == 0
    assert tiny.number("SELECT count(DISTINCT order_key) FROM affinity.order_outbox") == len(last)
    assert counters(one, "affinity_http_requests_waiting") == 0


def test_acknowledged_orders_survive_kill_9(service, tiny):
    acknowledged, lock = set(), threading.Lock()
    for life in range(3):
        one = service(tiny)
        stop = threading.Event()

        def send(client):
            n = 0
            while not stop.is_set():
                ids = [f"{life}-{client}-{n}-{i}" for i in range(3)]
                n += 1
                try:
                    answer = put(one, "orders", [order(id) for id in ids])
                except requests.RequestException:
                    return
                if answer.status_code == 200:
                    with lock:
                        acknowledged.update(ids)

        threads = [threading.Thread(target=send, args=(client,)) for client in range(6)]
        for thread in threads:
            thread.start()
        time.sleep(0.3 + 0.1 * life)
        one.kill()
        stop.set()
        for thread in threads:
            thread.join()
    there = {row[0] for row in tiny.sql("SELECT id FROM affinity.orders")}
    assert acknowledged and acknowledged <= there
    assert len(there - acknowledged) <= 3 * 6 * 3, "more than what was under way"
    assert tiny.number("SELECT count(*) FROM affinity.orders o LEFT JOIN affinity.order_line l USING (store, order_key)"
                       " WHERE l.line IS NULL") == 0


def test_writes_are_for_this_machine_unless_they_are_let_in(service, tiny):
    one = service(tiny)
    for header in ("Forwarded", "X-Forwarded-For", "Via"):
        answer = put(one, "orders", [order()], headers={header: "1.2.3.4"})
        assert answer.status_code == 403 and "write.remote" in answer.json()["detail"]
    assert one.request("GET", "/recommend", headers={"X-Forwarded-For": "1.2.3.4"}).status_code == 200
    assert written(put(one, "orders", [order()])) == ["created"]
    open_ = service(tiny, write_remote=True)
    assert written(put(open_, "orders", [order()], headers={"X-Forwarded-For": "1.2.3.4"})) == ["unchanged"]
    off = service(tiny, write_enabled=False)
    assert put(off, "orders", [order()]).status_code == 403
    assert counters(off, "affinity_write_up") == 1


def test_a_read_only_database_is_503_and_said_once(one, tiny):
    tiny.sql(f"ALTER DATABASE {tiny.name} SET default_transaction_read_only = on")
    tiny.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{tiny.name}' AND pid <> pg_backend_pid()")
    answers = [put(one, "orders", [order()]) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {503}
    assert {answer.json()["type"] for answer in answers} == {"urn:affinityd:problem:database_unavailable"}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers)
    assert "read-only" in answers[0].text
    assert counters(one, "affinity_write_up") == 0
    assert one.get("/recommend", cart="tea").status_code == 200
    assert len([row for row in one.log().splitlines() if '"event":"write"' in row]) == 1
    tiny.sql(f"SET default_transaction_read_only = off; ALTER DATABASE {tiny.name} RESET default_transaction_read_only")
    until(lambda: put(one, "orders", [order()]).status_code == 200)
    assert counters(one, "affinity_write_up") == 1


def test_a_lost_connection_is_made_anew_without_a_word(one, tiny):
    assert written(put(one, "orders", [order("a")])) == ["created"]
    for i in range(3):
        tiny.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{tiny.name}'"
                 " AND application_name = 'affinityd-writer'")
        assert written(put(one, "orders", [order(f"b{i}")])) == ["created"]


def test_a_database_that_hangs_is_503_within_the_deadline_and_nothing_is_done(service, tiny):
    """The store's orders are locked by somebody else: the wait ends, and what waits behind it ends by its deadline."""
    one = service(tiny, write_threads=1)
    assert written(put(one, "orders", [order("before")])) == ["created"]
    answers, threads = [], []

    def send(i):
        began = time.monotonic()
        answers.append((put(one, "orders", [order(f"hung {i}")]), time.monotonic() - began))

    with transaction(tiny, "LOCK TABLE affinity.orders"):
        for i in range(4):
            threads.append(threading.Thread(target=send, args=(i,)))
            threads[-1].start()
            time.sleep(0.05)
        assert one.get("/recommend", cart="tea").status_code == 200
        for thread in threads:
            thread.join()
    assert {answer.status_code for answer, _ in answers} == {503}, [answer.text for answer, _ in answers]
    assert all("nothing was done" in answer.json()["detail"] for answer, _ in answers)
    assert max(took for _, took in answers) < 11
    until(lambda: put(one, "orders", [order("after")]).status_code == 200)
    assert {row[0] for row in tiny.sql("SELECT id FROM affinity.orders")} == {"before", "after"}


def test_sigterm_answers_what_is_under_way(service, tiny):
    one = service(tiny)
    answers = []

    def send(client):
        for i in range(1000):
            try:
                answers.append((f"{client}-{i}", put(one, "orders", [order(f"{client}-{i}")]).status_code))
            except requests.RequestException as error:
                answers.append((f"{client}-{i}", "refused" if "refused" in str(error) else str(error)))
                return

    threads = [threading.Thread(target=send, args=(client,)) for client in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    assert one.stop(signal.SIGTERM) == 0
    for thread in threads:
        thread.join()
    assert {answer for _, answer in answers} <= {200, "refused"}, set(answer for _, answer in answers)
    there = {row[0] for row in tiny.sql("SELECT id FROM affinity.orders")}
    assert {id for id, answer in answers if answer == 200} == there


def item(one, product, **question):
    """What the service offers of a product, if anything."""
    answer = one.get("/recommend", cart="tea", limit=100, fields="product,price,name,compare_at", **question)
    assert answer.status_code == 200, answer.text
    return next((item for item in answer.json()["items"] if item["product"] == product), None)


def test_a_product_is_visible_to_the_next_request(one, tiny):
    assert item(one, "pot")["price"]["amount"] == 3500 and item(one, "cup")
    for price in (3400, 3300, 1, 3200):
        answer = put(one, "products", {"products": [{"id": "pot", "price": price}]})
        assert written(answer) == ["changed"] and answer.json()["visible"] is True
        assert item(one, "pot")["price"]["amount"] == price
    assert written(put(one, "products", [{"id": "pot", "stock": 0}, {"id": "cup", "available": False}])) == ["changed"] * 2
    assert item(one, "pot") is None and item(one, "cup") is None
    assert one.get("/recommend", cart="tea", limit=100).json()["dropped"]["unavailable"] >= 2
    assert written(put(one, "products", [{"id": "pot", "stock": 3}, {"id": "cup", "available": True, "price": None}])) == ["changed"] * 2
    assert item(one, "pot") and item(one, "cup") is None
    assert tiny.sql("SELECT price, stock, available, name FROM affinity.product WHERE id = 'cup'") == [("", "", "t", "Täßchen")]


def test_a_product_keeps_what_is_not_said_and_null_clears(one, tiny):
    full = {"id": "new", "name": "Neu", "category": "A > B", "brand": "Acme", "price": 100, "compare_at": 120, "cost": 50,
            "stock": -2, "available": True, "durable": True, "attributes": {"colour": "red", "sizes": [1, 2]}}
    columns = "name, category, brand, price, compare_at, cost, stock, available, durable, attributes"
    assert written(put(one, "products", full)) == ["created"]
    row = ("Neu", "A > B", "Acme", "100", "120", "50", "-2", "t", "t", '{"sizes": [1, 2], "colour": "red"}')
    assert tiny.sql(f"SELECT {columns} FROM affinity.product WHERE id = 'new'") == [row]
    assert written(put(one, "products", full)) == ["unchanged"]
    assert written(put(one, "products", {"id": "new"})) == ["unchanged"]
    assert written(put(one, "products", {"id": "new", "price": 90})) == ["changed"]
    assert tiny.sql(f"SELECT {columns} FROM affinity.product WHERE id = 'new'") == [row[:3] + ("90",) + row[4:]]
    cleared = {"id": "new", **{name: None for name in ("name", "category", "brand", "price", "compare_at", "cost", "stock", "attributes")}}
    assert written(put(one, "products", cleared)) == ["changed"]
    assert tiny.sql(f"SELECT {columns} FROM affinity.product WHERE id = 'new'") == [("", "", "", "", "", "", "", "t", "t", "{}")]


def test_wrong_products_and_customers_are_refused_alone(one, tiny):
    bad = [{"id": "x", "price": -1}, {"id": "x", "price": "5"}, {"id": "x", "price": 1.5}, {"id": "x", "price": MOST + 1},
           {"id": "x", "stock": 2**31}, {"id": "x", "available": None}, {"id": "x", "durable": "no"}, {"id": "x", "name": "a\nb"},
           {"id": "x", "name": "y" * 1025}, {"id": "x", "attributes": []}, {"id": "x", "attributes": {"a": "y" * 17000}},
           {"id": "x", "colour": "red"}, {"price": 5}, {"id": None}, "x", None]
    answer = put(one, "products", [{"id": "first", "price": 1}, *bad, {"id": "last", "price": 2}])
    assert written(answer) == ["created"] + ["refused"] * len(bad) + ["created"]
    assert tiny.number("SELECT count(*) FROM affinity.product WHERE id = 'x'") == 0
    customers = [{"id": "ann", "country": "AT"}, {"id": "new", "segment": "é", "attributes": {"n": 1}}, {"id": "x", "country": 5},
                 {"id": "x", "email": "a@b"}, {"id": "bob"}]
    assert written(put(one, "customers", customers)) == ["changed", "created", "refused", "refused", "unchanged"]
    assert tiny.sql("SELECT id, country, segment, attributes FROM affinity.customer WHERE id IN ('ann', 'new') ORDER BY id") == [
        ("ann", "AT", "", "{}"), ("new", "", "é", '{"n": 1}')]
    assert tiny.number("SELECT count(*) FROM affinity.catalogue_change WHERE what = 2") == 2


def test_a_new_product_can_be_recommended_from_at_once(one, tiny):
    """Its id is known: the answer does not list it as unknown, and content finds what is like it."""
    assert one.get("/recommend", cart="fresh").json()["unknown_ids"] == ["fresh"]
    assert put(one, "products", {"id": "fresh", "price": 700, "category": "Kitchen > Tea"}).json()["visible"] is True
    assert one.get("/recommend", cart="fresh").json()["unknown_ids"] == []


def test_products_written_at_once_end_as_the_tables_say(service, tiny):
    """Several clients, several writers, and the loader: what is served last is what was committed last."""
    one = service(tiny, write_threads=3, http_workers=2, database_poll_ms=50)
    failures = []

    def send(client):
        dice = random.Random(client)
        for _ in range(40):
            price = dice.randrange(1, 100000)
            entries = [{"id": id, "price": price} for id in dice.sample(["pot", "cup", "milk", "soap"], dice.randrange(1, 4))]
            answer = put(one, "products", entries)
            if answer.status_code != 200 or answer.json()["visible"] is not True:
                failures.append(answer.text)

    threads = [threading.Thread(target=send, args=(client,)) for client in range(6)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):  # the loader loads the whole store all the time
        tiny.sql("UPDATE affinity.state SET version = version + 1, published = version + 1")
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    assert failures == []
    assert one.get("/recommend").json()["index"]["version"] > 4
    prices = dict(tiny.sql("SELECT id, price FROM affinity.product WHERE id IN ('pot', 'cup', 'milk', 'soap')"))
    for _ in range(5):
        for id, price in prices.items():
            assert item(one, id, exclude=[other for other in prices if other != id])["price"]["amount"] == int(price), id
        time.sleep(0.1)


def test_a_product_read_back_by_its_own_client_is_never_older(service, tiny):
    """Each client owns one product and sees its own last price after every 2xx, whatever the others write."""
    one = service(tiny, write_threads=2, http_workers=2, database_poll_ms=50)
    failures = []

    def send(id):
        for price in range(1, 60):
            if put(one, "products", {"id": id, "price": price}).status_code != 200:
                failures.append(id)
            seen = item(one, id)
            if seen is None or seen["price"]["amount"] != price:
                failures.append((id, price, seen))

    threads = [threading.Thread(target=send, args=(id,)) for id in ("pot", "cup", "milk")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_more_new_products_than_the_index_has_room_for_are_loaded_soon(service, tiny):
    """The answer says that they are not visible yet, and the loader makes room."""
    one = service(tiny, database_poll_ms=50)
    visible, n = True, 0
    while visible and n < 40:
        answer = put(one, "products", [{"id": f"n{n}-{i}", "price": 100} for i in range(1000)])
        assert written(answer) == ["created"] * 1000
        visible = answer.json()["visible"]
        n += 1
    ids = [f"n{i}-{j}" for i in range(n) for j in (0, 999)]
    unknown = lambda: one.get("/recommend", cart=ids).json()["unknown_ids"]
    assert visible or unknown()
    until(lambda: unknown() == [])
    assert put(one, "products", {"id": f"n{n - 1}-0", "price": 101}).json()["visible"] is True


def test_no_more_requests_wait_than_may(service, tiny):
    one = service(tiny, http_waiting=2)
    assert written(put(one, "orders", [order("before")])) == ["created"]
    answers = []
    with transaction(tiny, "LOCK TABLE affinity.orders"):
        threads = [threading.Thread(target=lambda i=i: answers.append(put(one, "orders", [order(f"w{i}")]))) for i in range(2)]
        for thread in threads:
            thread.start()
        until(lambda: counters(one, "affinity_http_requests_waiting") == 2)
        refused = put(one, "orders", [order("third")])
        assert refused.status_code == 503 and refused.headers["Retry-After"] == "1", refused.text
        assert "nothing of this one was done" in refused.json()["detail"]
    for thread in threads:
        thread.join()
    assert [written(answer) for answer in answers] == [["created"]] * 2
    assert written(put(one, "orders", [order("third")])) == ["created"]


class Cutter:
    """A proxy in front of PostgreSQL that ends the connection at a COMMIT, before or after the server has got it."""

    def __init__(self, port):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.target = port
        self.cut = None  # "before" or "after", once
        self.sockets = [self.server]
        self.threads = []
        self.run(self.accept)

    def run(self, function, *arguments):
        self.threads.append(threading.Thread(target=function, args=arguments))
        self.threads[-1].start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.server.accept()
                self.sockets.append(client)
                database = socket.socket()
                self.sockets.append(database)
                if database.connect_ex(("127.0.0.1", self.target)) != 0:
                    shut(client)
                    continue
                self.run(self.forward, client, database, True)
                self.run(self.forward, database, client, False)

    def forward(self, source, sink, to_database):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if to_database and self.cut and b"COMMIT\0" in data:
                    cut, self.cut = self.cut, None
                    source.shutdown(socket.SHUT_RDWR)  # the answer does not get through
                    if cut == "after":
                        sink.sendall(data)
                        time.sleep(0.2)
                    break
                sink.sendall(data)
        shut(source, sink)

    def close(self):
        shut(*self.sockets)
        for thread in self.threads:
            thread.join()
        for one in self.sockets:
            one.close()


def shut(*sockets):
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def own_cluster(tmp_path):
    """A cluster that a test may stop and start: over TCP its URL stays the same."""
    cluster = PrivatePostgres(tmp_path / "pg")
    cluster.start = lambda: cluster.run("start", "--volatile", "--tcp", "--while", str(os.getpid()))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


def test_a_database_that_goes_away_and_comes_back(service, own_cluster, ctl):
    database = Database(own_cluster, own_cluster.create("shop"))
    ctl("migrate", "up", database=database)
    database.sql(SQL)
    parts = urllib.parse.urlsplit(database.url)
    with contextlib.closing(Cutter(parts.port)) as cutter:
        live_through_outages(service, own_cluster, database, parts.port, cutter)


def live_through_outages(service, own_cluster, database, port, cutter):
    one = service(database.url.replace(f":{port}/", f":{cutter.port}/"), database_poll_ms=50, learn_enabled="false")  # nobody else commits
    assert written(put(one, "orders", [order("first")])) == ["created"]

    cutter.cut = "after"
    unknown = put(one, "orders", [order("a")], headers={"Idempotency-Key": "key-a"})
    assert unknown.status_code == 503 and unknown.json()["type"] == "urn:affinityd:problem:outcome_unknown"
    assert int(unknown.headers["Retry-After"]) >= 1
    until(lambda: put(one, "orders", [order("second")]).status_code == 200)
    again = put(one, "orders", [order("a")], headers={"Idempotency-Key": "key-a"})
    assert written(again) == ["created"] and again.headers["Idempotency-Replayed"] == "true"
    assert written(put(one, "orders", [order("a")])) == ["unchanged"]

    cutter.cut = "before"
    unknown = put(one, "orders", [order("b")], headers={"Idempotency-Key": "key-b"})
    assert unknown.status_code == 503 and unknown.json()["type"] == "urn:affinityd:problem:outcome_unknown"
    until(lambda: put(one, "orders", [order("second")]).status_code == 200)
    again = put(one, "orders", [order("b")], headers={"Idempotency-Key": "key-b"})
    assert written(again) == ["created"] and "Idempotency-Replayed" not in again.headers

    own_cluster.stop()
    began = time.monotonic()
    answers = [put(one, "orders", [order("away")]) for _ in range(20)]
    assert {answer.json()["type"] for answer in answers} == {"urn:affinityd:problem:database_unavailable"}
    assert time.monotonic() - began < 5
    assert one.get("/recommend", cart="tea").status_code == 200
    own_cluster.start()
    until(lambda: put(one, "orders", [order("back")]).status_code == 200)
    ids = {row[0] for row in database.sql("SELECT id FROM affinity.orders")}
    assert ids == {"first", "second", "a", "b", "back"}


def test_a_role_that_may_not_write_is_503_and_said_once(service, tiny):
    role = f"reader_{tiny.name}"
    tiny.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA affinity TO {role};"
             f"GRANT SELECT ON ALL TABLES IN SCHEMA affinity TO {role}; ALTER DATABASE {tiny.name} SET role = '{role}'")
    try:
        one = service(tiny)
        answers = [put(one, what, {"id": "x"} if what != "orders" else order()) for what in ("orders", "products", "customers") * 3]
        assert {answer.status_code for answer in answers} == {503}
        assert "permission denied" in answers[0].json()["detail"]
        assert len([row for row in one.log().splitlines() if '"event":"write"' in row]) <= 3
        assert one.get("/recommend", cart="tea").status_code == 200
    finally:
        tiny.sql(f"SET role = NONE; ALTER DATABASE {tiny.name} RESET role; DROP OWNED BY {role}; DROP ROLE {role}")


def test_the_largest_order_is_taken(one, tiny):
    lines = [line(product=f"p{i % 5000}", quantity=1 + i // 5000, unit_price=i) for i in range(10000)]
    assert written(put(one, "orders", [order("large", lines=lines), order("small")])) == ["created", "created"]
    assert tiny.number("SELECT count(*) FROM affinity.order_line") == 10001
    assert written(put(one, "orders", [order("large", lines=lines[::-1])])) == ["unchanged"]
