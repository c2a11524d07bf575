# SPDX-License-Identifier: Apache-2.0
"""Several services on one database: one folds, and another takes over when it stops answering."""

import signal

from import_files import random_orders
from test_fold import verify, wait_until, write

CONFIG = {"learn_method": "cosine", "learn_lease_s": 2, "http_workers": 1}


def leader(database):
    return database.sql("SELECT leader, epoch FROM affinity.state")[0]


def process_of(services, database):
    """The service that leads, by the process number in its name; None while it is none of them."""
    name = leader(database)[0]
    for one in services:
        if name.endswith(f" {one.process.pid}"):
            return one
    return None


def leads(one):
    return 'affinity_learner_leads{store="main"} 1' in one.get("/metrics").text


def more(ctl, database, tmp_path, seed):
    rows = [(f"L{seed}-{row[0]}",) + row[1:] for row in random_orders(40, seed)]
    write(ctl, database, rows, tmp_path, f"more-{seed}.csv")


def folded(database):
    return database.number("SELECT count(*) FROM affinity.order_outbox") == 0


def published(database):
    return folded(database) and database.sql("SELECT published = version FROM affinity.state") == [("t",)]


def test_another_service_leads_when_the_leader_is_stopped_and_nothing_is_counted_twice(
    ctl, database, service, tmp_path
):
    write(ctl, database, random_orders(200, 1), tmp_path)
    ctl("rebuild", "--quiet", "--set", "learn.method=cosine", database=database)
    services = [service(database, **CONFIG) for _ in range(3)]
    wait_until(lambda: any(leads(one) for one in services), "leading")
    assert sum(leads(one) for one in services) == 1
    first = process_of(services, database)
    epoch = leader(database)[1]

    first.process.send_signal(signal.SIGSTOP)
    try:
        more(ctl, database, tmp_path, 2)
        wait_until(lambda: folded(database), "the fold of another service", 30)
        second = process_of(services, database)
        assert second is not None and second is not first
        assert int(leader(database)[1]) > int(epoch)
        # What the stopped one may have begun is held back until it is let go, and must then come to nothing.
        more(ctl, database, tmp_path, 3)
    finally:
        first.process.send_signal(signal.SIGCONT)
    more(ctl, database, tmp_path, 4)
    wait_until(lambda: published(database), "folding all")
    wait_until(lambda: not leads(first), "giving up the lead")
    assert sum(leads(one) for one in services) == 1
    found = verify(ctl, database)
    assert found.returncode == 0, found.stdout


def test_a_leader_that_ends_is_followed_at_once(ctl, database, service, tmp_path):
    write(ctl, database, random_orders(100, 5), tmp_path)
    ctl("rebuild", "--quiet", "--set", "learn.method=cosine", database=database)
    services = [service(database, **CONFIG) for _ in range(2)]
    wait_until(lambda: process_of(services, database) is not None, "leading")
    first = process_of(services, database)
    other = services[1] if first is services[0] else services[0]
    first.process.kill()
    first.process.wait()
    first.expect_clean_end = False
    wait_until(lambda: leads(other), "the lead of the other")
    more(ctl, database, tmp_path, 6)
    wait_until(lambda: published(database), "the fold")
    assert verify(ctl, database).returncode == 0
