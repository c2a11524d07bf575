# SPDX-License-Identifier: Apache-2.0
"""affinityd's life: start, database trouble, reload, drain, stop."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from support.programs import environment
from tiny_store import SQL, moved


@pytest.fixture
def tiny(database):
    database.sql(SQL)
    return database


def until(condition, timeout=15, message="it did not happen"):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(message)


def lines(one):
    return [json.loads(line) for line in one.log().splitlines()]


def products(answer):
    return [item["product"] for item in answer.json()["items"]]


def test_it_answers_from_the_learned_tables(service, tiny):
    one = service(tiny)
    answer = one.get("/recommend", cart=["tea"], explain="full", limit=2)
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert [item["product"] for item in body["items"]] == ["pot", "cup"]
    evidence = body["items"][0]["evidence"]
    assert (evidence["pair_orders"], evidence["product_orders"], evidence["other_orders"]) == (16, 40, 20)
    assert evidence["total_orders"] == 100 and evidence["support"] == 0.16 and evidence["confidence"] == 0.4
    assert evidence["lift"] == 2.0 and evidence["window"]["to"] == moved("2026-11-20T10:00:00Z")
    assert body["dropped"] == {"unavailable": 1}
    assert body["candidates"] == len(body["items"]) + sum(body["dropped"].values())
    next_ = one.get("/v1/products/tea/affinities", relation="next").json()
    assert next_["items"][0]["product"] == "milk" and next_["items"][0]["evidence"]["gap_days"] == 7


def test_ids_with_slashes_and_umlauts_work_everywhere(service, tiny):
    tiny.sql("UPDATE affinity.product SET id = 'a/b c%ü?' WHERE id = 'pot'")
    one = service(tiny)
    assert products(one.get("/recommend", cart="tea"))[0] == "a/b c%ü?"
    assert products(one.post("/recommend", {"cart": ["a/b c%ü?"]}))[0] == "tea"
    assert one.get("/v1/products/a%2Fb%20c%25%C3%BC%3F/affinities").json()["product"] == "a/b c%ü?"
    assert one.get("/v1/products/a/b%20c%25%C3%BC%3F/affinities").status_code == 200


def test_a_request_id_of_the_client_comes_back(service, tiny):
    one = service(tiny)
    answer = one.request("GET", "/recommend", headers={"X-Request-Id": "abc.1"})
    assert answer.headers["X-Request-Id"] == "abc.1" and answer.json()["request_id"] == "abc.1"
    answer = one.request("GET", "/recommend", headers={"X-Request-Id": "a b"})
    assert re.fullmatch("[0-9a-f]{32}", answer.json()["request_id"])


def test_new_tables_are_followed(service, tiny):
    one = service(tiny, database_poll_ms=50)
    assert products(one.get("/recommend", cart="tea", limit=1)) == ["pot"]
    tiny.sql("UPDATE affinity.neighbour SET others = '{3}', scores = '{1}', orders = '{8}', weights = '{0}',"
             " revenues = '{0}', margins = '{0}', discounted = '{0}' WHERE product = 1 AND relation = 1;"
             "INSERT INTO affinity.touched VALUES (1, 1, 1, 4); UPDATE affinity.state SET version = 4, published = 4")
    until(lambda: one.get("/recommend", cart="tea").json()["index"]["version"] == 4)
    assert products(one.get("/recommend", cart="tea", limit=1)) == ["cup"]


def test_a_new_store_appears(service, tiny):
    one = service(tiny, database_poll_ms=50)
    assert one.get("/recommend", store="second").status_code == 422
    tiny.sql("INSERT INTO affinity.store (store, name, currency) VALUES (2, 'second', 'USD')")
    from tiny_store import partitions

    tiny.sql(partitions(2))
    until(lambda: one.get("/recommend", store="second").status_code == 200)
    assert one.get("/recommend", store="second", currency="USD").json()["items"] == []
    assert one.get("/recommend", cart="tea").json()["index"]["version"] == 3


def test_broken_tables_leave_the_old_index(service, tiny):
    one = service(tiny, database_poll_ms=50)
    tiny.sql("UPDATE affinity.neighbour SET scores = '{1}' WHERE product = 1 AND relation = 1;"
             "INSERT INTO affinity.touched VALUES (1, 1, 1, 4); UPDATE affinity.state SET version = 4, published = 4")
    until(lambda: one.get("/health").json()["status"] == "degraded")
    assert one.get("/recommend", cart="tea").json()["index"]["version"] == 3
    assert one.get("/health/ready").status_code == 200
    assert one.get("/health").json()["load_errors"][0]["store"] == "main"
    assert 'affinity_index_load_failed{store="main"} 1' in one.get("/metrics").text
    assert len([line for line in lines(one) if line["event"] == "load_failed"]) == 1


def test_an_index_beyond_the_memory_limit_is_refused(service, tiny):
    tiny.sql("INSERT INTO affinity.product (store, product, id, price, name) SELECT 1, 100 + n, 'p' || n, 100, repeat('x', 200)"
             " FROM generate_series(1, 200000) n; ANALYZE affinity.product")
    one = service(tiny, wait="live", memory_limit_mb=16)
    until(lambda: one.get("/health/ready").json()["reasons"][:1] and
          one.get("/health/ready").json()["reasons"][0]["code"] == "load_failed")
    assert one.get("/recommend").status_code == 503


@pytest.fixture
def own_cluster(tmp_path):
    """A cluster that a test may stop and start: over TCP its URL stays the same."""
    from support.database import PrivatePostgres

    cluster = PrivatePostgres(tmp_path / "pg")
    cluster.start = lambda: cluster.run("start", "--volatile", "--tcp", "--while", str(os.getpid()))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


def test_database_away_at_start_and_back(service, own_cluster, ctl):
    from support.database import Database

    database = Database(own_cluster, own_cluster.create("shop"))
    own_cluster.stop()
    one = service(database, wait="live", database_poll_ms=50, database_retry_max_s=1)
    until(lambda: one.get("/health/ready").json()["reasons"][0]["code"] == "database")
    assert one.get("/recommend").status_code == 503
    own_cluster.start()
    until(lambda: "affinityctl migrate up" in one.get("/health/ready").text, message=one.log())
    ctl("migrate", "up", database=database)
    until(lambda: "no store 'main'" in one.get("/health/ready").text, message=one.log())
    database.sql("BEGIN;" + SQL + "COMMIT;")
    one.wait("ready")
    assert products(one.get("/recommend", cart="tea", limit=1)) == ["pot"]
    own_cluster.stop()
    until(lambda: one.get("/health").json()["status"] == "degraded")
    assert one.get("/health/ready").status_code == 200
    assert products(one.get("/recommend", cart="tea", limit=1)) == ["pot"]
    own_cluster.start()
    until(lambda: one.get("/health").json()["status"] == "ok")
    assert all(line["ts"] for line in lines(one))


def test_a_wrong_password_is_said_without_it(service, own_cluster):
    url = re.sub(r":[^:@/]+@", ":s3cret@", own_cluster.url())
    one = service(url, wait="live")
    until(lambda: "password authentication failed" in one.get("/health/ready").text, message=one.log())
    assert "s3cret" not in one.log() + one.get("/health").text + one.get("/metrics").text


@pytest.mark.parametrize("change,says", [
    ("DROP SCHEMA affinity CASCADE", "affinityctl migrate up"),
    ("DELETE FROM affinity.schema_migration", "affinityctl migrate up"),
])
def test_a_schema_that_does_not_fit_is_said_in_one_line(service, database, change, says):
    tables = {row[0] for row in database.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'affinity'")}
    if "schema_migration" in change and "schema_migration" not in tables:
        name = next(table for table in tables if "migration" in table)
        change = change.replace("schema_migration", name)
    database.sql(change)
    one = service(database, wait="live")
    until(lambda: says in one.get("/health/ready").text, message=one.log())
    time.sleep(1)
    said = [line for line in lines(one) if line["level"] == "error"]
    events = [line["event"] for line in said]
    assert events.count("schema") == 1 and len(set(events)) == len(events)  # one line each of what needs the database
    assert all("\n" not in line["msg"] for line in said)
    assert 'affinity_database_errors_total{class="' in one.get("/metrics").text


def test_hangup_reloads_what_can_be_reloaded(service, tiny, tmp_path):
    config = tmp_path / "affinityd.conf"
    config.write_text("[http]\nbody_bytes = 2000\n")
    one = service(tiny, arguments=["--config", config])
    body = {"customer": "x" * 100, "exclude": ["y" * 100] * 15}
    assert one.post("/recommend", body).status_code == 200
    config.write_text("[http]\nbody_bytes = 1024\nworkers = 7\n[log]\nlevel = debug\n")
    one.process.send_signal(signal.SIGHUP)
    until(lambda: one.post("/recommend", body).status_code == 413)
    until(lambda: any(line["level"] == "debug" for line in lines(one)))
    assert any("http.workers" in line["msg"] and line["level"] == "warning" for line in lines(one))
    config.write_text("[http]\nbody_bites = 5\n")
    one.process.send_signal(signal.SIGHUP)
    until(lambda: "affinity_config_last_reload_successful 0" in one.get("/metrics").text)
    assert one.post("/recommend", body).status_code == 413
    until(lambda: any("body_bites" in line["msg"] and "stays as it was" in line["msg"] for line in lines(one)))
    config.write_text("[http]\nbody_bytes = 2000\n")
    one.process.send_signal(signal.SIGHUP)
    until(lambda: "affinity_config_last_reload_successful 1" in one.get("/metrics").text)
    assert one.post("/recommend", body).status_code == 200


class Load:
    """Clients that ask without pause over kept connections until the service ends them."""

    REQUEST = b"GET /recommend?cart=tea HTTP/1.1\r\nHost: a\r\n\r\n"

    def __init__(self, one, clients):
        self.port, self.failed, self.answered = one.port, [], 0
        self.stop_new = threading.Event()
        self.threads = [threading.Thread(target=self.ask) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def ask(self):
        while not self.stop_new.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
                    while self.one(connection):
                        pass
            except OSError as error:
                self.failed.append(repr(error))
                return

    def one(self, connection):
        connection.sendall(self.REQUEST)
        answer = b""
        while b"\r\n\r\n" not in answer or not complete(answer):
            part = connection.recv(65536)
            if not part:
                self.failed.append(f"cut after {len(answer)} bytes")
                return False
            answer += part
        if not answer.startswith(b"HTTP/1.1 200"):
            self.failed.append(answer[:100])
        self.answered += 1
        return b"Connection: close" not in answer

    def join(self):
        for thread in self.threads:
            thread.join(30)


def complete(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    return len(body) >= int(re.search(rb"Content-Length: (\d+)", head).group(1))


def test_terminate_drains_without_a_failed_request(service, tiny):
    """As behind a balancer: it stops opening connections once readiness says no; open ones get their answers."""
    one = service(tiny, http_workers=2, http_drain_delay_ms=500)
    load = Load(one, 24)
    time.sleep(1)
    one.process.send_signal(signal.SIGTERM)
    until(lambda: one.get("/health/ready").status_code == 503, timeout=3)
    assert one.get("/health/ready").json()["reasons"][0]["code"] == "draining"
    load.stop_new.set()
    assert one.process.wait(20) == 0
    load.join()
    assert load.failed == [] and load.answered > 100
    assert lines(one)[-1]["event"] == "stopped"


def test_connections_in_the_backlog_are_answered_while_it_stops(service, tiny):
    """Without a delay: who was connected before the socket closed is answered; who comes later is refused at once."""
    one = service(tiny, http_workers=1)
    begun = [socket.create_connection(("127.0.0.1", one.port), timeout=10) for _ in range(50)]
    one.process.send_signal(signal.SIGTERM)
    for connection in begun:
        connection.sendall(Load.REQUEST)
    for connection in begun:
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.close()
    assert one.process.wait(20) == 0


def test_an_idle_connection_does_not_hold_up_the_stop(service, tiny):
    one = service(tiny)
    with socket.create_connection(("127.0.0.1", one.port), timeout=10) as idle:
        idle.sendall(Load.REQUEST)
        assert idle.recv(65536).startswith(b"HTTP/1.1 200")
        begun = time.monotonic()
        assert one.stop() == 0
        assert time.monotonic() - begun < 4


def test_a_second_signal_ends_it_at_once(service, tiny):
    one = service(tiny, http_drain_delay_ms=60000)
    one.process.send_signal(signal.SIGTERM)
    until(lambda: one.get("/health/ready").status_code == 503)
    assert one.get("/recommend", cart="tea").status_code == 200
    one.process.send_signal(signal.SIGTERM)
    assert one.process.wait(3) == -signal.SIGTERM


def test_too_many_connections_are_told_so(service, tiny):
    one = service(tiny, http_connections=8, http_workers=1)
    kept = []
    for _ in range(12):
        connection = socket.create_connection(("127.0.0.1", one.port), timeout=5)
        connection.sendall(Load.REQUEST)
        kept.append((connection, connection.recv(65536)))
    statuses = [answer[9:12] for _, answer in kept]
    assert statuses.count(b"503") >= 3 and statuses[:7] == [b"200"] * 7
    shed = next(answer for _, answer in kept if answer[9:12] == b"503")
    assert b"Retry-After: 1" in shed and b"Connection: close" in shed
    for connection, _ in kept:
        connection.close()
    until(lambda: one.get("/recommend").status_code == 200)


def test_an_inherited_socket_is_served(build, tiny, tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        log = open(tmp_path / "log", "wb")

        def take_over():
            if listener.fileno() != 3:
                os.dup2(listener.fileno(), 3)
            else:
                os.set_inheritable(3, True)
            os.environ["LISTEN_PID"] = str(os.getpid())

        command = ["sh", "-c", 'export LISTEN_PID=$$; exec "$0" --http.port=1', str(build / "affinityd")]
        process = subprocess.Popen(command, env=environment(tiny, {"LISTEN_FDS": "1"}), preexec_fn=take_over, close_fds=False,
                                   stderr=log)
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
                assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        finally:
            process.terminate()
            assert process.wait(20) == 0
            log.close()
        socket.create_connection(("127.0.0.1", port), timeout=5).close()


@pytest.mark.parametrize("arguments,status,says", [
    (["--help"], 0, "usage: affinityd"),
    (["--version"], 0, "affinityd 0."),
    (["--check-config"], 0, "right"),
    (["--check-config", "--http.port=99999"], 78, "http.port"),
    (["--check-config", "--config", "/nonexistent"], 78, "/nonexistent"),
    (["--print-config", "--database.url=postgresql://u:s3cret@h/d"], 0, "http.port = 8080"),
    (["--nonsense"], 2, "--nonsense"),
    (["serve"], 2, "serve"),
    (["--http.address=192.0.2.1", "--http.port=0"], 1, "192.0.2.1"),
])
def test_the_command_line(build, arguments, status, says):
    done = subprocess.run([build / "affinityd", *arguments], env=environment(), capture_output=True, text=True, timeout=20)
    assert done.returncode == status, done.stderr
    assert says in done.stdout + done.stderr and "s3cret" not in done.stdout + done.stderr


def test_a_port_in_use_is_said(build, service, tiny):
    one = service(tiny)
    done = subprocess.run([build / "affinityd", f"--http.port={one.port}"], env=environment(tiny), capture_output=True,
                          text=True, timeout=20)
    assert done.returncode == 1 and "another program has it" in done.stderr
