# SPDX-License-Identifier: Apache-2.0
"""Weights fitted to a store: found, put to use in running services, switched back, and fitted by the service itself."""

import datetime
import json
import random

import pytest
from import_files import text_of
from test_follow import metric
from test_fold import wait_until

# With these weights nothing is offered because the customer bought it before, which is all there is to find here.
BLIND = {"recommend_weight_personal": "0", "learn_method": "cosine", "http_workers": 1}
SETS = ["--set", "recommend.weight_personal=0", "--set", "learn.method=cosine", "--quiet"]
CUSTOMERS, PRODUCTS = 120, 300


def liked(customer):
    return [f"P{(7 * customer + i) % PRODUCTS}" for i in range(3)]


def loyal_orders(n):
    """Seven of ten products are from three that the customer likes, the others by chance."""
    rng = random.Random(1)
    start = datetime.datetime(2024, 1, 1)
    rows = []
    for number in range(n):
        customer = rng.randrange(CUSTOMERS)
        at = (start + datetime.timedelta(hours=6 * number)).strftime("%Y-%m-%dT%H:%M:%SZ")
        chosen = {rng.choice(liked(customer)) if rng.random() < 0.7 else f"P{rng.randrange(PRODUCTS)}" for _ in range(4)}
        rows += [(f"A{number}", f"K{customer}", at, product, 1, "2.00") for product in sorted(chosen)]
    return rows


@pytest.fixture(scope="module")
def loyal_template(postgres, build, template_database, tmp_path_factory):
    from support.database import Database
    from support.programs import run_ctl

    database = Database(postgres, postgres.create("affinity_loyal", template=template_database.name))
    path = tmp_path_factory.mktemp("loyal") / "orders.csv"
    path.write_text(text_of(loyal_orders(1500)), encoding="utf-8")
    run_ctl(build, "import", "orders", str(path), "--currency", "EUR", "--quiet", database=database)
    run_ctl(build, "rebuild", "--quiet", "--set", "learn.method=cosine", database=database)
    yield database
    postgres.drop(database.name)


@pytest.fixture
def shop(postgres, loyal_template):
    from support.database import Database

    copy = Database(postgres, postgres.create(template=loyal_template.name))
    yield copy
    postgres.drop(copy.name)


def first(one, customer):
    """What is offered first to a customer whose cart holds something by chance."""
    return one.get("/recommend", customer=f"K{customer}", cart="P200").json()["items"][0]["product"]


def finds_liked(one):
    """How many of some customers are offered first what they like."""
    return sum(first(one, customer) in liked(customer) for customer in range(20))


def fitted(one):
    return one.get("/health").json()["stores"][0]["fitted"]


def fits(ctl, database):
    return json.loads(ctl("tune", "--list", "--json", database=database).stdout)["fits"]


def test_a_fit_is_served_by_running_services_and_switched_back(ctl, service, shop):
    services = [service(shop, database_poll_ms=100, **BLIND) for _ in range(2)]
    blind = [finds_liked(one) for one in services]
    assert [fitted(one) for one in services] == [[], []] and max(blind) < 10

    shown = json.loads(ctl("tune", "--json", *SETS, database=shop).stdout)
    assert shown["orders"] + shown["asked_orders"] == 1500
    known = {entry["situation"]: entry for entry in shown["situations"]}["cart_known"]
    assert known["adopted"] and known["weights"]["personal"] > 0 and known["gain_at_least"] > 0
    assert known["after"]["hit"] > known["before"]["hit"]
    for one in services:
        wait_until(lambda: "cart_known" in fitted(one), "taking over")
        assert finds_liked(one) >= 18

    assert "no longer used" in ctl("tune", "--reset", database=shop).stdout
    for one, before in zip(services, blind):
        wait_until(lambda: fitted(one) == [], "going back")
        assert finds_liked(one) == before

    assert "cart_known" in ctl("tune", "--use", str(known["fit"]), database=shop).stdout
    for one in services:
        wait_until(lambda: fitted(one) == ["cart_known"], "using the fit again")
        assert finds_liked(one) >= 18
        assert metric(one, "affinity_index_full_loads_total") == 1


def test_each_fit_is_kept_with_its_figures(ctl, shop):
    dry = json.loads(ctl("tune", "--dry-run", "--json", *SETS, database=shop).stdout)
    assert fits(ctl, shop) == []
    done = json.loads(ctl("tune", "--json", *SETS, database=shop).stdout)
    for entry in done["situations"]:
        assert entry.pop("fit", None) != 0
    for entry in dry["situations"]:
        assert entry.pop("fit", None) is None
    assert done == dry  # the same orders give the same fit
    listed = fits(ctl, shop)
    assert [fit["situation"] for fit in listed] == ["cart", "cart_known", "added", "added_known"]  # too few customers
    for fit in listed:
        assert fit["adopted"] == fit["in_use"] and fit["evidence"]["questions"] >= 200
        assert fit["adopted"] == (fit["gain_at_least"] > 0 and fit["evidence"]["differing"] >= 25)
        assert fit["evidence"]["by"] == "affinityctl" and fit["evidence"]["instead_of"] is None
    known = listed[1]
    assert known["adopted"]

    # A second fit finds nothing that is better than the first, and says what it was compared with.
    ctl("tune", *SETS, database=shop)
    again = fits(ctl, shop)[len(listed) + 1]
    assert again["situation"] == "cart_known" and not again["adopted"] and again["evidence"]["instead_of"] == known["fit"]
    table = ctl("tune", "--list", database=shop).stdout.splitlines()
    assert len(table) == 1 + 2 * len(listed) and "cart_known" in table[2] and table[2].rstrip().endswith("yes")


def test_what_cannot_be_used_is_refused(ctl, shop):
    for arguments, status, word in [
        (["--use", "first"], 2, "number of a fit"),
        (["--list", "--reset"], 2, "only one"),
        (["--list", "--dry-run"], 2, "--dry-run"),
        (["--use", "77"], 1, "no fit 77"),
        (["now"], 2, "not expected"),
    ]:
        result = ctl("tune", *arguments, database=shop, check=False)
        assert result.returncode == status and word in result.stderr, (arguments, result.stderr)
    shop.sql("""INSERT INTO affinity.fitted (store, fit, situation, weights, evidence, adopted)
                VALUES (1, 5, 'cart', '{"affinity": 1, "moonlight": 2}', '{}', true)""")
    result = ctl("tune", "--use", "5", database=shop, check=False)
    assert result.returncode == 1 and "moonlight" in result.stderr and fits(ctl, shop)[0]["in_use"] is False


def test_a_fit_of_another_version_is_passed_over(service, shop):
    shop.sql("""INSERT INTO affinity.fitted (store, fit, situation, weights, evidence, adopted) VALUES
                (1, 5, 'cart', '{"affinity": 1, "moonlight": 2}', '{}', true),
                (1, 6, 'at_night', '{"affinity": 1}', '{}', true), (1, 7, 'added', '{"added": 1}', '{}', true);
                INSERT INTO affinity.fitted_use (store, situation, fit) VALUES (1, 'cart', 5), (1, 'at_night', 6), (1, 'added', 7);
                INSERT INTO affinity.fitting (store, version) VALUES (1, 1)""")
    one = service(shop, **BLIND)
    assert fitted(one) == ["added"]


def test_two_fits_at_a_time_are_one_too_many(ctl, postgres, shop):
    import subprocess

    holder = subprocess.Popen(
        ["psql", "-qAtX", postgres.url(shop.name), "-c",
         "SELECT pg_advisory_lock(1953853029, 1); SELECT 'held'; SELECT pg_sleep(60)"],
        stdout=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: shop.number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"), "the lock")
        result = ctl("tune", *SETS, database=shop, check=False)
        assert result.returncode == 4 and "already" in result.stderr
    finally:
        holder.kill()
        holder.communicate()


def test_the_service_that_leads_fits_on_schedule(service, shop):
    settings = {**BLIND, "tune_enabled": True, "tune_hours": 0.001, "database_poll_ms": 100, "learn_lease_s": 2}
    services = [service(shop, **settings) for _ in range(2)]
    for one in services:
        wait_until(lambda: "cart_known" in fitted(one), "the fit", 300)
        assert finds_liked(one) >= 18
    leads = [metric(one, "affinity_learner_leads") for one in services]
    leader, follower = services[leads.index(1)], services[leads.index(0)]
    wait_until(lambda: metric(leader, "affinity_tuner_fits_total") >= 2, "the next fit", 300)
    assert metric(leader, "affinity_tuner_adopted_total") >= 1
    assert metric(follower, "affinity_tuner_fits_total") == 0
    assert '"event":"tuned"' in leader.log() and "cart_known +" in leader.log()
    assert shop.number("SELECT count(*) FROM affinity.fitted WHERE evidence->>'by' = 'affinityd'") >= 8
    # It ends at once, whatever it is doing.
    assert leader.stop() == 0


def test_without_leave_the_service_does_not_fit(service, shop):
    one = service(shop, tune_hours=0.0001, **BLIND)
    wait_until(lambda: metric(one, "affinity_learner_leads") == 1, "leading")
    assert metric(one, "affinity_tuner_fits_total") == 0 and shop.number("SELECT count(*) FROM affinity.fitted") == 0


def test_a_rebuild_by_command_ends_with_a_fit_when_one_is_due(shop, ctl):
    wanted = {"AFFINITY_TUNE_AFTER_REBUILD": "true"}
    first_time = ctl("rebuild", *SETS, database=shop, env=wanted)
    assert "cart_known" in first_time.stdout and "adopted" in first_time.stdout, first_time.stdout
    fits = shop.sql("SELECT count(*) FROM affinity.fitted")
    again = ctl("rebuild", *SETS, database=shop, env=wanted)
    assert "cart_known" not in again.stdout, again.stdout
    assert shop.sql("SELECT count(*) FROM affinity.fitted") == fits
    due = ctl("rebuild", *SETS, "--set", "tune.hours=0.0001", database=shop, env=wanted)
    assert "cart_known" in due.stdout, due.stdout
