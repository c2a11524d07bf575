# SPDX-License-Identifier: Apache-2.0
"""Kills affinityd at random moments while a workload runs, and holds what is there afterwards against what was
acknowledged.

A workload is an object with
    name
    begin(service)   starts to work against a service that has just become live; must not block
    end()            the service is dead: stops working, forgets what was not acknowledged
    settle(service)  the last service lives: waits until everything has come to rest
    check()          -> (acknowledged, lost, doubled): how many things were acknowledged, and what is wrong with them
kill_often() runs any of them."""

import random
import threading
import time

import requests

LIVE_S = 30


def kill_often(start, workload, kills, seed, between=None):
    """`start()` gives a new Service on the same database and spool; `between(random, round)` changes the world while
    the service is down. Returns what the workload's check gives."""
    chance = random.Random(seed)
    for number in range(kills):
        if between is not None:
            between(chance, number)
        service = start()
        service.wait("live", LIVE_S)
        workload.begin(service)
        time.sleep(chance.uniform(0.0, 0.25))
        service.kill()
        workload.end()
    if between is not None:
        between(chance, None)
    service = start()
    service.wait("live", LIVE_S)
    workload.settle(service)
    assert service.stop() == 0, service.log()
    return workload.check()


class Events:
    """Sends events in batches from several threads; what a killed service left unanswered is sent again, as a shop
    would. Each event carries its number as its amount."""

    name = "events"

    def __init__(self, database, threads=3, batch=20):
        self.database = database
        self.threads = threads
        self.batch = batch
        self.lock = threading.Lock()
        self.next_number = 1
        self.unanswered = []  # batches
        self.acknowledged = set()
        self.spooled = 0
        self.failures = []
        self.running = []
        self.stop = threading.Event()

    def event(self, number):
        return {
            "event_id": f"event-{number}",
            "kind": "purchase",
            "session": f"session-{number % 97}",
            "order": f"order-{number}",
            "amount": number,
        }

    def take_batch(self):
        with self.lock:
            if self.unanswered:
                return self.unanswered.pop()
            first = self.next_number
            self.next_number += self.batch
            return range(first, first + self.batch)

    def work(self, url):
        with requests.Session() as session:
            session.trust_env = False
            while not self.stop.is_set():
                numbers = self.take_batch()
                status = None
                try:
                    answer = session.post(
                        url + "/v1/events", json={"events": [self.event(number) for number in numbers]}, timeout=10
                    )
                    status = answer.status_code
                except requests.RequestException:
                    pass
                with self.lock:
                    if status in (200, 202):
                        self.acknowledged.update(numbers)
                        self.spooled += status == 202
                    else:
                        self.unanswered.append(numbers)
                        if status not in (None, 503):
                            self.failures.append(answer.text)
                if status is None:
                    return

    def begin(self, service):
        self.stop.clear()
        self.running = [threading.Thread(target=self.work, args=(service.url,)) for _ in range(self.threads)]
        for thread in self.running:
            thread.start()

    def end(self):
        self.stop.set()
        for thread in self.running:
            thread.join()

    def settle(self, service):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            spool = service.get("/health").json()["events"]["spool"]
            if spool is None or spool["records"] == 0:
                return
            time.sleep(0.05)
        raise AssertionError(f"the spool is not shipped: {service.get('/health').text}\n{service.log()}")

    def check(self):
        assert not self.failures, self.failures[:3]
        rows = self.database.sql("SELECT amount, count(*) FROM affinity.event WHERE kind = 5 GROUP BY amount")
        stored = {int(amount): int(n) for amount, n in rows}
        unknown = [number for number in stored if number >= self.next_number]
        assert not unknown, unknown[:5]
        lost = sorted(self.acknowledged - stored.keys())
        doubled = sorted(number for number, n in stored.items() if n > 1)
        return len(self.acknowledged), lost, doubled


def set_read_only(database, on, break_off=False):
    """Whether new transactions of the database may write; with `break_off`, connections of the intake end."""
    database.sql(
        "SET default_transaction_read_only = off;"
        f"ALTER DATABASE \"{database.name}\" SET default_transaction_read_only = {'on' if on else 'off'};"
    )
    if break_off:
        database.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE application_name = 'affinityd events' AND datname = '{database.name}'"
        )


def read_only_at_times(database):
    """A `between` for kill_often: in every third round the database takes no writes, so that the spool is used."""

    def between(chance, number):
        set_read_only(database, number is not None and number % 3 == 1)

    return between
