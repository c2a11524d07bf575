# SPDX-License-Identifier: Apache-2.0
"""The service follows the tables by what changed in them, without loading all again."""

import math
import re
import time

import pytest
from tiny_store import SQL


@pytest.fixture
def tiny(database):
    database.sql(SQL)
    return database


def until(holds, seconds=5):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def metric(one, name):
    """Not a number while the service does not show it yet."""
    found = re.search(rf'^{name}{{store="main"}} (\S+)$', one.get("/metrics").text, re.M)
    return float(found[1]) if found else math.nan


def items(one, **parameters):
    return one.get("/recommend", **parameters).json()["items"]


CHANGE = """BEGIN;
    UPDATE affinity.catalogue_state SET version = version + 1 WHERE store = 1;
    {change};
    INSERT INTO affinity.catalogue_change SELECT 1, {what}, {key}, version FROM affinity.catalogue_state WHERE store = 1
        ON CONFLICT (store, what, key) DO UPDATE SET version = excluded.version;
    NOTIFY affinity_catalogue; COMMIT"""


def test_a_price_that_another_instance_wrote_is_served_at_once(service, tiny):
    one = service(tiny, database_poll_ms=60000)  # so that it is the notification that is followed
    assert items(one, cart="tea")[0]["product"] == "pot"
    tiny.sql(CHANGE.format(change="UPDATE affinity.product SET price = 4321 WHERE product = 2", what=1, key=2))
    until(lambda: items(one, cart="tea")[0]["price"]["amount"] == 4321, 2)
    assert metric(one, "affinity_index_full_loads_total") == 1


def test_without_a_notification_the_next_poll_finds_it(service, tiny):
    one = service(tiny, database_poll_ms=100)
    tiny.sql(CHANGE.format(change="UPDATE affinity.product SET available = false WHERE product = 2", what=1, key=2)
             .replace("NOTIFY affinity_catalogue;", ""))
    until(lambda: "pot" not in [item["product"] for item in items(one, cart="tea")])
    assert metric(one, "affinity_index_full_loads_total") == 1


def test_new_products_rows_and_customers_are_served(service, tiny):
    one = service(tiny, database_poll_ms=50)
    tiny.sql(CHANGE.format(change="INSERT INTO affinity.product (store, product, id, price) VALUES (1, 90, 'scone', 250)",
                           what=1, key=90))
    tiny.sql("""BEGIN;
        INSERT INTO affinity.product_stat (store, product, orders, weight, revenue, margin, discounted, last_at)
            VALUES (1, 90, 50, 99999999, 1, 1, 0, now());
        UPDATE affinity.neighbour SET others = '{90}', scores = '{2}', orders = '{8}', weights = '{1}', revenues = '{1}',
            margins = '{1}', discounted = '{0}' WHERE product = 1 AND relation = 1;
        INSERT INTO affinity.customer (store, customer, id) VALUES (1, 77, 'newcomer');
        INSERT INTO affinity.customer_history VALUES (1, 77, 3, now(), '{90}', '{3}', ARRAY[now()], ARRAY[now()]);
        INSERT INTO affinity.touched VALUES (1, 1, 1, 4), (1, 4, 90, 4), (1, 3, 77, 4);
        UPDATE affinity.state SET version = 4, published = 4, orders = orders + 1; NOTIFY affinity_published; COMMIT""")
    until(lambda: one.get("/recommend", cart="tea").json()["index"]["version"] == 4)
    assert [item["product"] for item in items(one, cart="tea", limit=1)] == ["scone"]
    assert one.get("/recommend", customer="newcomer").json()["unknown_ids"] == []
    assert metric(one, "affinity_index_full_loads_total") == 1
    # Lists by popularity follow within seconds.
    until(lambda: items(one, limit=1)[:1] and items(one, limit=1)[0]["product"] == "scone", 10)
    # A row that went away takes its neighbours with it.
    tiny.sql("""DELETE FROM affinity.neighbour WHERE product = 1 AND relation = 1;
        UPDATE affinity.touched SET version = 5 WHERE what = 1; UPDATE affinity.state SET version = 5, published = 5""")
    until(lambda: one.get("/recommend", cart="tea").json()["index"]["version"] == 5)
    assert one.get("/v1/products/tea/affinities").json()["neighbours"] == 0


def test_who_is_behind_the_trimmed_changes_loads_all(service, tiny):
    one = service(tiny, database_poll_ms=50)
    tiny.sql("UPDATE affinity.state SET version = 9, published = 9, touched_from = 8")
    until(lambda: one.get("/recommend", cart="tea").json()["index"]["version"] == 9)
    assert metric(one, "affinity_index_full_loads_total") == 2
    tiny.sql("UPDATE affinity.catalogue_state SET version = 5, changes_from = 5")
    until(lambda: metric(one, "affinity_index_full_loads_total") == 3)
    tiny.sql("UPDATE affinity.state SET generation = generation + 1")
    until(lambda: metric(one, "affinity_index_full_loads_total") == 4)


def test_it_says_how_old_its_data_are_and_what_waits(service, tiny):
    one = service(tiny, database_poll_ms=50)
    assert one.get("/recommend", cart="tea").json()["index"]["age_s"] == 0
    tiny.sql("INSERT INTO affinity.order_outbox (store, order_key, queued_at) VALUES (1, 5, now() - interval '90 seconds')")
    until(lambda: 89 < metric(one, "affinity_order_lag_seconds") < 100)
    feed = one.get("/health").json()["stores"][0]["feed"]
    assert feed["queued"] == 1 and 89 < feed["order_lag_s"] < 100
