# SPDX-License-Identifier: Apache-2.0
"""Outages of the database: answers go on from memory, one line says what is wrong, and all comes back by itself."""

import json
import os
import socket
import threading
import time
import urllib.parse

import pytest
import requests
from support.database import Database, PrivatePostgres, psql
from support.proxy import Proxy
from tiny_store import SQL


def until(holds, seconds=20, message=""):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"it did not happen\n{message() if callable(message) else message}"
        time.sleep(0.05)


@pytest.fixture
def cluster(tmp_path):
    one = PrivatePostgres(tmp_path / "pg")
    one.start = lambda: one.run("start", "--volatile", "--tcp", "--while", str(os.getpid()))
    try:
        one.start()
        yield one
    finally:
        one.remove()


@pytest.fixture
def shop(cluster, ctl):
    database = Database(cluster, cluster.create("shop"))
    ctl("migrate", "up", database=database)
    database.sql(SQL)
    return database


def host_of(url):
    parts = urllib.parse.urlsplit(url)
    return parts.hostname, parts.port


class Elsewhere:
    """The same database at another address."""

    def __init__(self, url):
        self.url = url


@pytest.fixture
def proxy(shop):
    one = Proxy(host_of(shop.url))
    yield one
    one.close()


def behind(proxy, shop):
    host, port = host_of(shop.url)
    return Elsewhere(shop.url.replace(f"{host}:{port}", f"127.0.0.1:{proxy.port}"))


class Asking:
    """Asks for recommendations all the time and counts what was not answered well."""

    def __init__(self, service):
        self.service = service
        self.asked = 0
        self.wrong = []
        self.slowest = 0.0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        with requests.Session() as session:
            session.trust_env = False
            while not self.stop.is_set():
                before = time.monotonic()
                answer = session.get(self.service.url + "/recommend", params={"cart": "tea"})
                self.slowest = max(self.slowest, time.monotonic() - before)
                self.asked += 1
                if answer.status_code != 200 or answer.json()["items"][0]["product"] != "pot":
                    self.wrong.append(answer.text)
                time.sleep(0.005)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.stop.set()
        self.thread.join()


def errors(one):
    lines = [json.loads(line) for line in one.log().splitlines() if line]
    return [(line["event"], line["msg"]) for line in lines if line["level"] == "error"]


def test_a_killed_database_is_not_noticed_by_who_asks(service, cluster, shop):
    one = service(shop, database_poll_ms=50, database_retry_max_s=1)
    with Asking(one) as asking:
        cluster.stop()
        until(lambda: one.get("/health").json()["status"] == "degraded")
        time.sleep(2)
        assert 'affinity_database_up 0' in one.get("/metrics").text
        age_s = one.get("/recommend", cart="tea").json()["index"]["age_s"]
        assert age_s >= 1
        cluster.start()
        until(lambda: one.get("/health").json()["status"] == "ok", message=one.log)
    assert asking.asked > 100 and not asking.wrong
    said = [event for event, _ in errors(one)]
    assert said.count("database") == 1, errors(one)
    assert all(said.count(part) <= 2 for part in set(said)), errors(one)  # it broke off, and it is refused
    assert one.get("/recommend", cart="tea").json()["index"]["age_s"] == 0


def test_a_database_that_hangs_holds_up_neither_answers_nor_the_end(service, shop, proxy):
    one = service(behind(proxy, shop), database_poll_ms=50)
    with Asking(one) as asking:
        proxy.hangs.set()
        time.sleep(3)
        assert one.get("/health").status_code == 200
        proxy.hangs.clear()
        shop.sql("INSERT INTO affinity.touched VALUES (1, 1, 1, 4); UPDATE affinity.state SET version = 4, published = 4")
        until(lambda: one.get("/recommend", cart="tea").json()["index"]["version"] == 4, message=one.log)
        proxy.hangs.set()
        time.sleep(0.5)
    assert not asking.wrong and asking.slowest < 1
    before = time.monotonic()
    assert one.stop() == 0
    assert time.monotonic() - before < 8


def test_cut_connections_are_made_anew(service, shop, proxy):
    one = service(behind(proxy, shop), database_poll_ms=50, database_retry_max_s=1)
    with Asking(one) as asking:
        for version in (4, 5, 6):
            proxy.cut()
            shop.sql(f"INSERT INTO affinity.touched VALUES (1, 1, 1, {version}) ON CONFLICT (store, what, key)"
                     f" DO UPDATE SET version = {version}; UPDATE affinity.state SET version = {version}, published = {version}")
            until(lambda: one.get("/recommend", cart="tea").json()["index"]["version"] == version, message=one.log)
    assert not asking.wrong


def test_a_server_that_never_answers_is_given_up(service, tmp_path):
    with socket.create_server(("127.0.0.1", 0), backlog=5) as silent:
        url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/shop"
        one = service(Elsewhere(url), wait="live", database_connect_timeout_s=2)
        until(lambda: "timeout" in one.get("/health/ready").text or "expired" in one.get("/health/ready").text,
              message=lambda: one.get("/health/ready").text)
        before = time.monotonic()
        assert one.stop() == 0
        assert time.monotonic() - before < 8


def test_of_several_hosts_the_one_that_takes_writes_is_used(service, cluster, shop, tmp_path):
    standby = PrivatePostgres(tmp_path / "standby")
    standby.run("start", "--volatile", "--tcp", "--while", str(os.getpid()))
    try:
        name = standby.create("shop")
        standby_url = standby.url(name)
        said = urllib.parse.urlsplit(shop.url)
        psql(standby_url, f"ALTER ROLE {said.username} PASSWORD '{said.password}';"
                          "ALTER DATABASE shop SET default_transaction_read_only = on")
        first, second = host_of(standby_url), host_of(shop.url)
        url = (f"postgresql://{said.username}:{said.password}@{first[0]}:{first[1]},{second[0]}:{second[1]}/shop"
               "?target_session_attrs=read-write")
        one = service(Elsewhere(url), wait="live", database_poll_ms=50)
        until(lambda: one.get("/health/ready").status_code == 200, message=lambda: one.get("/health/ready").text)
        assert one.get("/recommend", cart="tea").json()["items"][0]["product"] == "pot"
    finally:
        standby.remove()


def test_a_read_only_database_is_followed_and_said_once(service, shop):
    one = service(shop, database_poll_ms=50)
    shop.sql(f'SET default_transaction_read_only = off; ALTER DATABASE "{shop.name}" SET default_transaction_read_only = on')
    shop.sql("SET default_transaction_read_only = off; SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
             " WHERE datname = current_database() AND pid <> pg_backend_pid()")
    time.sleep(3)
    shop.sql("SET default_transaction_read_only = off; INSERT INTO affinity.touched VALUES (1, 1, 1, 4);"
             "UPDATE affinity.state SET version = 4, published = 4")
    until(lambda: one.get("/recommend", cart="tea").json()["index"]["version"] == 4, message=one.log)
    said = errors(one)
    assert len(said) == len(set(said)), said
    assert '"event":"rebuild"' not in one.log(), "counting anew cannot mend what may not be written"
