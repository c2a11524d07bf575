# SPDX-License-Identifier: Apache-2.0
"""A rebuild beside the feed: orders that are written and folded while it runs are neither lost nor counted twice.

The fold here is the small one of small_fold.py.
"""

import random
import signal

import pytest

import small_fold
from test_rebuild import Holder, SHOP, start, wait_for

PUT = """
CREATE FUNCTION public.put(wanted bigint, goods integer[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO affinity.orders (store, order_key, id, ordered_at, digest)
        VALUES (1, wanted, 'O' || wanted, '2025-06-01', 0) ON CONFLICT DO NOTHING;
    IF FOUND THEN
        INSERT INTO affinity.order_outbox (store, order_key) VALUES (1, wanted);
    ELSE
        PERFORM FROM affinity.orders WHERE store = 1 AND order_key = wanted FOR UPDATE;
        INSERT INTO affinity.order_outbox
            (store, order_key, ordered_at, products, units, unit_prices, unit_costs, discounted)
            SELECT 1, wanted, '2025-06-01', array_agg(product), array_agg(quantity), array_agg(unit_price),
                array_agg(unit_cost), array_agg(discounted) FROM affinity.order_line
            WHERE store = 1 AND order_key = wanted;
        DELETE FROM affinity.order_line WHERE store = 1 AND order_key = wanted;
    END IF;
    INSERT INTO affinity.order_line (store, order_key, line, product, ordered_at, quantity, unit_price)
        SELECT 1, wanted, row_number() OVER (), g, '2025-06-01', 1, 100 + g FROM unnest(goods) g;
END $$;
"""

# Each product is once in an order, so that baskets and units are the same numbers.
COUNTED = "SELECT product, orders, revenue FROM affinity.product_stat ORDER BY 1"
TRUE = "SELECT product, count(*), sum(unit_price) FROM affinity.order_line GROUP BY 1 ORDER BY 1"


@pytest.fixture
def shop(ctl, database):
    database.sql(SHOP + small_fold.SQL + PUT)
    for key, goods in ((1, "{1,2}"), (2, "{1,3}"), (3, "{2,3,4}"), (4, "{1}")):
        database.sql(f"SELECT public.put({key}, '{goods}')")
    ctl("rebuild", "--quiet", database=database)
    assert database.number("SELECT count(*) FROM affinity.order_outbox") == 0
    return database


def rebuilding(database):
    return database.sql("SELECT rebuilding FROM affinity.state") == [("t",)]


def snapshot_taken(database):
    """The new tables are there and hold rows: what the rebuild reads has been read."""
    return database.sql("SELECT to_regclass('affinity.customer_history_s1_next') IS NOT NULL") == [("t",)] and (
        database.number("SELECT count(*) FROM affinity.product_stat_s1_next") > 0
    )


def test_changes_before_and_after_the_snapshot_are_counted_once(build, shop):
    before = Holder(shop, "LOCK TABLE ONLY affinity.neighbour IN ACCESS EXCLUSIVE MODE")
    during = Holder(shop, "LOCK TABLE affinity.customer_history_s1 IN ACCESS SHARE MODE")
    rebuild = start(build, shop)
    wait_for(lambda: rebuilding(shop), "the rebuild to say that it reads")
    shop.sql("SELECT public.put(1, '{1,4}')")  # folded before the snapshot
    shop.sql("SELECT public.put(5, '{2,3}')")
    assert small_fold.fold(shop) == 2
    assert shop.number("SELECT count(*) FROM affinity.order_outbox WHERE folded") == 2
    shop.sql("SELECT public.put(2, '{2,4}')")  # written before the snapshot, folded after it
    shop.sql("SELECT public.put(7, '{4}')")  # written before, folded after the swap
    shop.sql("SELECT public.put(8, '{1,2,3,4}')")  # written before and changed after the snapshot
    before.release()
    wait_for(lambda: snapshot_taken(shop), "the snapshot")
    shop.sql("SELECT public.put(8, '{1}')")
    shop.sql("SELECT public.put(6, '{1,2}')")  # written and folded after the snapshot
    assert small_fold.fold(shop) == 4
    shop.sql("SELECT public.put(6, '{3}')")  # changed again, not folded
    shop.sql("SELECT public.put(3, '{1,2}')")
    assert rebuild.poll() is None
    during.release()
    out, err = rebuild.communicate(timeout=60)
    assert rebuild.returncode == 0, err
    assert not rebuilding(shop)
    assert shop.sql("SELECT DISTINCT order_key FROM affinity.order_outbox WHERE NOT folded ORDER BY 1") == [("3",), ("6",), ("8",)]
    assert shop.number("SELECT count(*) FROM affinity.order_outbox WHERE folded") == 0
    assert shop.sql("SELECT touched_from = version, published = version FROM affinity.state") == [("t", "t")]
    assert shop.number("SELECT count(*) FROM affinity.touched") == 0
    assert small_fold.fold(shop) == 3
    assert shop.sql(COUNTED) == shop.sql(TRUE)


def test_random_writes_and_folds_during_rebuilds_stay_exact(build, shop):
    rng = random.Random(11)
    for _ in range(3):
        rebuild = start(build, shop)
        while rebuild.poll() is None:
            goods = ",".join(map(str, sorted(rng.sample(range(1, 5), rng.randint(1, 4)))))
            shop.sql(f"SELECT public.put({rng.randint(1, 30)}, '{{{goods}}}')")
            if rng.random() < 0.5:
                small_fold.fold(shop)
        err = rebuild.communicate()[1]
        assert rebuild.returncode == 0, err
        small_fold.fold(shop)
        assert shop.sql(COUNTED) == shop.sql(TRUE)
        assert shop.number("SELECT count(*) FROM affinity.order_outbox") == 0


def test_a_killed_rebuild_is_tidied_up_by_the_next_one(build, ctl, shop):
    during = Holder(shop, "LOCK TABLE affinity.customer_history_s1 IN ACCESS SHARE MODE")
    rebuild = start(build, shop)
    wait_for(lambda: rebuilding(shop) and snapshot_taken(shop), "the snapshot")
    shop.sql("SELECT public.put(1, '{3,4}')")
    assert small_fold.fold(shop) == 1
    shop.sql("SELECT public.put(2, '{4}')")
    rebuild.send_signal(signal.SIGKILL)
    rebuild.communicate()
    during.release()
    # Whatever dies, the old tables and what was folded into them stay.
    assert rebuilding(shop)
    assert shop.number("SELECT count(*) FROM affinity.order_outbox WHERE folded") == 1
    wait_for(
        lambda: ctl("rebuild", "--quiet", database=shop, check=False).returncode == 0, "the dead session's lock"
    )
    assert not rebuilding(shop)
    assert shop.number("SELECT count(*) FROM affinity.order_outbox") == 0
    assert shop.sql(COUNTED) == shop.sql(TRUE)


def test_a_cancelled_rebuild_leaves_what_was_folded(build, shop):
    during = Holder(shop, "LOCK TABLE affinity.customer_history_s1 IN ACCESS SHARE MODE")
    rebuild = start(build, shop)
    wait_for(lambda: rebuilding(shop) and snapshot_taken(shop), "the snapshot")
    shop.sql("SELECT public.put(1, '{3,4}')")
    assert small_fold.fold(shop) == 1
    rebuild.send_signal(signal.SIGTERM)
    rebuild.communicate(timeout=60)
    assert rebuild.returncode != 0
    during.release()
    assert not rebuilding(shop)
    assert shop.number("SELECT count(*) FROM affinity.order_outbox") == 0
    assert shop.sql(COUNTED) == shop.sql(TRUE)
