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
    service.disconnect()
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


class Views(Events):
    """Views of a few sessions, which the learner counts at the same time."""

    name = "views"

    def __init__(self, database, products, sessions=150, **options):
        super().__init__(database, **options)
        self.products = products
        self.sessions = sessions

    def event(self, number):
        chance = random.Random(number)
        return {
            "event_id": f"view-{number}",
            "kind": "view",
            "session": f"session-{chance.randrange(self.sessions)}",
            "product": chance.choice(self.products),
            "price": number,
        }

    def settle(self, service):
        super().settle(service)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            left = self.database.sql("SELECT (SELECT count(*) FROM affinity.session_heard) +"
                                     " (SELECT count(*) FROM affinity.viewed_due) +"
                                     " (SELECT count(*) FROM affinity.state WHERE version <> published)")
            if left[0][0] == "0":
                return
            time.sleep(0.1)
        raise AssertionError(f"sessions are not counted\n{service.log()}")

    def check(self):
        assert not self.failures, self.failures[:3]
        rows = self.database.sql("SELECT data ->> 'price', count(*) FROM affinity.event WHERE kind = 1 GROUP BY 1")
        stored = {int(amount): int(n) for amount, n in rows}
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


class Orders:
    """Writes orders from several threads, new ones and edits of earlier ones, while the service's learner folds them.
    An order without an answer may be there or not, but whole: it is sent again."""

    name = "orders"

    def __init__(self, database, ctl, threads=2, batch=10, beside=None):
        self.database = database
        self.ctl = ctl  # (*arguments) -> CompletedProcess, of affinityctl on the database
        self.threads = threads
        self.batch = batch
        self.beside = beside  # () -> Popen: a program that works on the database at the same time and is killed, too
        self.lock = threading.Lock()
        self.next_number = 1
        self.unanswered = []  # batches of orders
        self.acknowledged = {}  # id: the number of units that was acknowledged last
        self.failures = []
        self.running = []
        self.program = None
        self.stop = threading.Event()

    def order(self, chance, number):
        """Each worker edits its own orders only, so that the last answer says what is there."""
        products = chance.sample(range(1, 25), chance.randint(1, 4))
        return {
            "id": f"order-{number}",
            "customer": f"customer-{number % 13}",
            "ordered_at": f"2026-{1 + number % 9:02d}-{1 + number % 27:02d}T10:00:00Z",
            "lines": [{"product": f"product-{product}", "quantity": chance.randint(1, 9), "unit_price": 100 * product}
                      for product in products],
        }

    def take_batch(self, chance, mine):
        with self.lock:
            if self.unanswered:
                return self.unanswered.pop()
            first = self.next_number
            self.next_number += self.batch
        edited = chance.sample(sorted(mine), min(len(mine), 2))
        mine.update(range(first, first + self.batch))
        return [self.order(chance, number) for number in [*range(first, first + self.batch), *edited]]

    def work(self, url, seed):
        chance = random.Random(seed)
        mine = set()
        with requests.Session() as session:
            session.trust_env = False
            while not self.stop.is_set():
                orders = self.take_batch(chance, mine)
                status = None
                try:
                    answer = session.post(url + "/v1/orders", json={"orders": orders}, timeout=15)
                    status = answer.status_code
                except requests.RequestException:
                    pass
                with self.lock:
                    if status == 200:
                        for order in orders:
                            self.acknowledged[order["id"]] = sum(line["quantity"] for line in order["lines"])
                    else:
                        self.unanswered.append(orders)
                        if status not in (None, 503):
                            self.failures.append(answer.text)
                if status is None:
                    return

    def begin(self, service):
        self.stop.clear()
        self.running = [threading.Thread(target=self.work, args=(service.url, self.next_number * 10 + number))
                        for number in range(self.threads)]
        for thread in self.running:
            thread.start()
        if self.beside is not None:
            self.program = self.beside()

    def end(self):
        self.stop.set()
        for thread in self.running:
            thread.join()
        if self.program is not None:
            self.program.kill()
            self.program.wait()
            self.program = None

    def settle(self, service):
        for orders in self.unanswered:
            answer = service.post("/v1/orders", {"orders": orders})
            assert answer.status_code == 200, answer.text
            for order in orders:
                self.acknowledged[order["id"]] = sum(line["quantity"] for line in order["lines"])
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            left = self.database.sql("SELECT (SELECT count(*) FROM affinity.order_outbox) +"
                                     " (SELECT count(*) FROM affinity.state WHERE version <> published)")
            if left[0][0] == "0":
                return
            time.sleep(0.1)
        raise AssertionError(f"what is queued is not folded\n{service.log()}")

    def check(self):
        assert not self.failures, self.failures[:3]
        rows = self.database.sql("SELECT o.id, sum(l.quantity), count(DISTINCT o.order_key) FROM affinity.orders o"
                                 " JOIN affinity.order_line l USING (store, order_key)"
                                 " WHERE o.id LIKE 'order-%' GROUP BY o.id")
        stored = {id: (int(units), int(n)) for id, units, n in rows}
        lost = sorted(id for id, units in self.acknowledged.items() if stored.get(id, (None, 0))[0] != units)
        doubled = sorted(id for id, (_, n) in stored.items() if n > 1)
        verified = self.ctl("verify", check=False)
        if verified.returncode != 0:
            doubled.append("verify: " + verified.stdout[-2000:] + verified.stderr[-500:])
        return len(self.acknowledged), lost, doubled
