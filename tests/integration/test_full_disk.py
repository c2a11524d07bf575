# SPDX-License-Identifier: Apache-2.0
"""Full disks: answers go on, one line says what is wrong, what nothing can take is answered 503, and all comes back by itself.

PostgreSQL's disk is full when it says so: triggers raise SQLSTATE 53100 where a table would grow. The spool's disk is full
where the process may make its files no larger (RLIMIT_FSIZE)."""
import json
import resource
import time

import pytest

from support.crash import set_read_only
from tiny_store import SQL

FULL = """
CREATE FUNCTION public.full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file "base/5/16384": No space left on device' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON affinity.event FOR EACH STATEMENT EXECUTE FUNCTION public.full_disk();
CREATE TRIGGER full_disk BEFORE INSERT ON affinity.order_outbox FOR EACH STATEMENT EXECUTE FUNCTION public.full_disk();
CREATE TRIGGER full_disk BEFORE INSERT ON affinity.orders FOR EACH STATEMENT EXECUTE FUNCTION public.full_disk();
"""
ROOM = "DROP FUNCTION public.full_disk() CASCADE"
ORDER = {"id": "o1", "customer": "ann", "ordered_at": "2026-11-20T09:00:00Z",
         "lines": [{"product": "tea", "quantity": 2, "unit_price": 500}]}


@pytest.fixture
def shop(database):
    database.sql(SQL)
    return database


def view(number, **more):
    return {"event_id": f"v{number}", "kind": "view", "session": "s1", "product": "tea", **more}


def send(service, *events):
    return service.post("/v1/events", json={"events": list(events)})


def until(condition, timeout=30):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)


def lines(service, text):
    """Lines of the log at warning and above that hold the text."""
    said = [json.loads(line) for line in service.log().splitlines() if line.startswith("{")]
    return [line for line in said if line.get("level") in ("error", "warning") and text in json.dumps(line)]


def answers(service):
    return [item["product"] for item in service.get("/recommend", cart="tea").json()["items"]][:2] == ["pot", "cup"]


def test_a_full_disk_of_the_database_stops_no_answer_and_is_over_by_itself(shop, service):
    one = service(shop)
    assert send(one, view(1)).status_code == 200
    shop.sql(FULL)
    for number in range(2, 12):
        refused = send(one, view(number))
        assert refused.status_code == 503 and int(refused.headers["Retry-After"]) > 0, refused.text
        assert answers(one)
    order = one.post("/v1/orders", json={"orders": [ORDER]})
    assert order.status_code == 503 and int(order.headers["Retry-After"]) > 0, order.text
    assert len(lines(one, "No space left")) <= 2  # one of the events, one of the orders
    assert len(lines(one, "No space left")) >= 1
    shop.sql(ROOM)
    until(lambda: send(one, view(12)).status_code == 200)
    until(lambda: one.post("/v1/orders", json={"orders": [ORDER]}).status_code == 200)
    assert shop.number("SELECT count(*) FROM affinity.event") == 2
    assert one.get("/health").json()["events"]["error"] is None


def test_the_spool_takes_what_a_full_database_does_not(shop, service, tmp_path):
    one = service(shop, spool_directory=tmp_path / "spool")
    shop.sql(FULL)
    for number in range(5):
        assert send(one, view(number)).status_code == 202
        assert answers(one)
    assert len(lines(one, "No space left")) == 1
    shop.sql(ROOM)
    until(lambda: one.get("/health").json()["events"]["spool"]["records"] == 0)
    assert shop.number("SELECT count(*) FROM affinity.event") == 5


def test_a_full_disk_of_the_spool_is_answered_503_and_what_was_taken_stays(shop, service, tmp_path):
    set_read_only(shop, True)
    one = service(shop, spool_directory=tmp_path / "spool")
    assert send(one, view("first")).status_code == 202
    before = resource.prlimit(one.process.pid, resource.RLIMIT_FSIZE)
    # Room for what the log still says, and not for the events.
    limit = one.log_path.stat().st_size + 20000
    resource.prlimit(one.process.pid, resource.RLIMIT_FSIZE, (limit, before[1]))
    big = {"filler": "x" * 8000}
    statuses = []
    for number in range(8):
        answer = send(one, *[view(f"{number}-{i}", attributes=big) for i in range(10)])
        statuses.append(answer.status_code)
        assert answer.status_code != 503 or int(answer.headers["Retry-After"]) > 0
        assert answers(one)
    assert set(statuses) == {503}, statuses
    assert len(lines(one, "spool")) <= 2, lines(one, "spool")  # that the spool is used, and that it cannot be written
    assert len(lines(one, "File too large")) == 1
    resource.prlimit(one.process.pid, resource.RLIMIT_FSIZE, before)
    until(lambda: send(one, view("second")).status_code == 202)
    set_read_only(shop, False)
    until(lambda: send(one, view("third")).status_code == 200)
    until(lambda: one.get("/health").json()["events"]["spool"]["records"] == 0)
    assert shop.number("SELECT count(*) FROM affinity.event") == 3
