# SPDX-License-Identifier: Apache-2.0
"""What was planted in a generated store is found again by import, rebuild and recommend."""

import json

import pytest

from demo_store import DemoStore, binomial_deviation, lift
from support.database import Database
from support.programs import run_ctl

NEIGHBOURS_TOGETHER, NEIGHBOURS_NEXT = 1, 2


@pytest.fixture(scope="module")
def store(build, tmp_path_factory):
    """The default demo store."""
    folder = tmp_path_factory.mktemp("store")
    run_ctl(build, "generate", "--out", folder, "--quiet")
    return DemoStore(folder)


@pytest.fixture(scope="module")
def learned(build, postgres, template_database, store):
    """The default demo store, imported without any option and learned."""
    database = Database(postgres, postgres.create(template=template_database.name))
    for what, name in [("orders", "order_lines"), ("products", "products"), ("customers", "customers")]:
        run_ctl(build, "import", what, store.folder / f"{name}.csv", "--quiet", database=database)
    run_ctl(build, "rebuild", "--quiet", database=database)
    yield database
    postgres.drop(database.name)


@pytest.fixture(scope="module")
def together(learned):
    """(a, b) -> orders with both, in both directions."""
    rows = learned.sql(
        "SELECT x.id, y.id, orders FROM affinity.pair_together p"
        " JOIN affinity.product x ON (x.store, x.product) = (p.store, p.a)"
        " JOIN affinity.product y ON (y.store, y.product) = (p.store, p.b)"
    )
    counts = {(a, b): int(orders) for a, b, orders in rows}
    return counts | {(b, a): orders for (a, b), orders in counts.items()}


@pytest.fixture(scope="module")
def single(learned):
    rows = learned.sql("SELECT id, orders FROM affinity.product_stat JOIN affinity.product USING (store, product)")
    return {id: int(orders) for id, orders in rows}


def neighbours(database, relation):
    """product -> ids of its neighbours, best first, and the median gaps beside them (next only)."""
    names = dict(database.sql("SELECT product, id FROM affinity.product"))
    rows = database.sql(
        "SELECT product, array_to_json(others), array_to_json(gap_days) FROM affinity.neighbour"
        f" WHERE relation = {relation}"
    )
    return {
        names[product]: ([names[str(other)] for other in json.loads(others)], json.loads(gaps))
        for product, others, gaps in rows
    }


@pytest.fixture(scope="module")
def best_together(learned):
    return {id: others for id, (others, _) in neighbours(learned, NEIGHBOURS_TOGETHER).items()}


@pytest.fixture(scope="module")
def best_next(learned):
    return neighbours(learned, NEIGHBOURS_NEXT)


def test_every_file_is_imported_whole(store, learned):
    assert learned.number("SELECT count(*) FROM affinity.order_line") == len(store.lines)
    assert learned.number("SELECT count(*) FROM affinity.product WHERE name <> ''") == len(store.products)
    assert learned.number("SELECT count(*) FROM affinity.customer") == len(store.customers)
    assert learned.sql("SELECT currency FROM affinity.store") == [("EUR",)]


def test_prices_and_attributes_arrive_as_written(store, learned):
    rows = learned.sql(
        "SELECT id, name, category, price, cost, coalesce(compare_at::text, ''), stock, available, durable,"
        " coalesce(attributes->>'tier', ''), coalesce(attributes->>'colour', '') FROM affinity.product"
    )
    for id, name, category, price, cost, compare_at, stock, available, durable, tier, colour in rows:
        row = store.products[id]
        assert (name, category, stock, tier, colour) == (
            row["name"], row["category"], row["stock"], row["attr.tier"], row["attr.colour"])
        assert (int(price), int(cost)) == (round(float(row["price"]) * 100), round(float(row["cost"]) * 100))
        assert compare_at == row["compare_at"].replace(".", "")
        assert (available == "t", durable == "t") == (row["available"] == "true", row["durable"] == "true")


def test_returns_and_cancellations_are_taken_out_as_truth_says(store, learned, single):
    assert learned.sql("SELECT orders FROM affinity.state") == [(str(store.truth["store"]["orders"]),)]
    cancelling = learned.number("SELECT count(*) FROM affinity.orders WHERE cancels")
    assert cancelling == store.truth["store"]["cancelled_orders"]
    for id, orders in single.items():
        assert orders == store.orders_with(id), id


def test_learned_pair_counts_are_the_planted_ones(store, together, single):
    for pair in store.truth["affinities"]:
        a, b = pair["a"]["id"], pair["b"]["id"]
        assert (single[a], single[b], together[a, b]) == (pair["a"]["orders"], pair["b"]["orders"], pair["orders_both"])


def test_learned_confidence_lies_in_the_interval_of_the_designed_one(store, together, single):
    for pair in store.truth["affinities"]:
        a, b = pair["a"]["id"], pair["b"]["id"]
        assert single[a] >= 40
        assert abs(binomial_deviation(together[a, b], single[a], pair["designed_confidence"])) < 4, pair
        assert lift(together[a, b], single[a], single[b], store.truth["store"]["orders"]) > 5


def test_the_planted_partner_leads_the_row(store, best_together):
    """Of two partners both do, and a partner planted rarely enough (decanter) may be second."""
    for pair in store.truth["affinities"]:
        place = best_together[pair["a"]["id"]].index(pair["b"]["id"])
        assert place < (1 if pair["designed_confidence"] > 0.5 and pair["a"]["id"] != "smartphone-0001" else 3), pair


def test_learned_sequences_and_upgrades_are_the_planted_ones(store, learned, best_next):
    rows = learned.sql(
        "SELECT x.id, y.id, orders FROM affinity.pair_next p"
        " JOIN affinity.product x ON (x.store, x.product) = (p.store, p.a)"
        " JOIN affinity.product y ON (y.store, y.product) = (p.store, p.b)"
    )
    counts = {(a, b): int(orders) for a, b, orders in rows}
    for next_ in store.truth["sequences"] + store.truth["upgrades"]:
        a, b = next_["a"]["id"], next_["b"]["id"]
        assert counts.get((a, b), 0) == next_["orders"]
        others, gaps = best_next[a]
        assert b in others[:3], (a, others[:5])
        # A bucket of the histogram is 7 % wide, and the truth counts whole days.
        assert gaps[others.index(b)] == pytest.approx(next_["median_gap_days"], rel=0.08, abs=1.5)


def test_customers_buy_consumables_again_in_their_rhythm(store, learned):
    firsts = {next_["product"]["id"]: next_ for next_ in store.truth["repeats"]}
    rows = learned.sql(
        "SELECT p.id, sum(c - 1), percentile_cont(0.5) WITHIN GROUP"
        " (ORDER BY extract(epoch FROM l - f) / 86400 / (c - 1)) FILTER (WHERE c > 1)"
        " FROM affinity.customer_history h, unnest(products, counts, first_at, last_at_of) AS x(product, c, f, l)"
        " JOIN affinity.product p ON p.product = x.product GROUP BY p.id"
    )
    seen = 0
    for id, again, rhythm in rows:
        if id in firsts:
            seen += 1
            # Orders in between, without the product, make some more intervals and some longer ones.
            assert firsts[id]["orders"] <= int(again)
            designed = firsts[id]["designed_gap_days"]
            assert designed * 0.8 < float(rhythm) < designed * 1.8, id
    assert seen == len(firsts)


def test_the_bestseller_is_in_no_row_that_it_does_not_belong_to(store, single, together, best_together):
    best = store.truth["bestseller"]["product"]["id"]
    orders = store.truth["store"]["orders"]
    assert best == max(single, key=single.get)
    # By chance alone its lift beside everything that is planted is 1.
    expected = sum(single[pair["a"]["id"]] for pair in store.truth["affinities"]) * single[best] / orders
    met = sum(together.get((best, pair["a"]["id"]), 0) for pair in store.truth["affinities"])
    assert 0.8 < met / expected < 1.2
    # The floors let one in two hundred unrelated pairs through; a bestseller that is merely popular would be in all.
    planted = {pair["a"]["id"] for pair in store.truth["affinities"]}
    assert all(best != best_together[id][0] for id in planted)
    assert sum(best in best_together[id][:5] for id in planted) <= 2
    often_sold = [id for id in best_together if single[id] >= 50 and id != best]
    assert len(often_sold) > 200
    assert sum(best in best_together[id] for id in often_sold) < 0.02 * len(often_sold)


def test_the_seasonal_pair_has_lift_over_the_year_and_none_inside_a_season(store, together, single):
    noise = store.truth["seasonal_noise"]
    a, b = noise["a"]["id"], noise["b"]["id"]
    assert (single[a], single[b], together[a, b]) == (
        noise["a"]["orders"], noise["b"]["orders"], noise["orders_both"])
    assert lift(together[a, b], single[a], single[b], store.truth["store"]["orders"]) > 1.8
    summer = [month for month in noise["months"] if month["month"][5:] in ("06", "07", "08")]
    expected = sum(month["orders_a"] * month["orders_b"] / month["orders"] for month in summer)
    met = sum(month["orders_both"] for month in summer)
    assert 0.5 < met / expected < 1.5


def test_the_seasonal_pair_is_marked_and_a_true_pair_of_the_same_season_is_not(learned, store):
    noise = store.truth["seasonal_noise"]
    marked = {frozenset(pair) for pair in learned.sql(
        "SELECT x.id, y.id FROM affinity.neighbour n CROSS JOIN LATERAL unnest(n.others, n.season_expected, n.season_z)"
        " AS u(other, expected, z) JOIN affinity.product x ON x.product = n.product"
        " JOIN affinity.product y ON y.product = u.other WHERE n.relation = 1 AND u.expected > 0 AND u.z < 1.96")}
    assert frozenset((noise["a"]["id"], noise["b"]["id"])) in marked
    assert frozenset(("barbecue-0001", "charcoal-0001")) not in marked
    planted = {frozenset((pair["a"]["id"], pair["b"]["id"])) for pair in store.truth["affinities"]}
    assert not planted & marked
    assert len(marked) < 20


@pytest.mark.parametrize(
    "cart, first",
    [
        ("running-shoes-0001", "performance-socks-0001"),
        ("laptop-0001", "laptop-bag-0001"),
        ("coffee-machine-0001", "coffee-beans-0001"),
        ("crm-licence-0001", "email-licence-0001"),
        ("shop-plan-0001", "analytics-addon-0001"),
        ("barbecue-0001", "charcoal-0001"),
    ],
)
def test_a_cart_gets_its_planted_partner_first(build, learned, cart, first):
    said = run_ctl(build, "recommend", "--cart", cart, "--limit", "3", "--json", database=learned).stdout
    items = json.loads(said)["items"]
    assert items[0]["product"] == first or items[0]["product"]["id"] == first


def test_importing_again_changes_nothing(build, store, learned):
    before = learned.sql("SELECT count(*), sum(digest) FROM affinity.orders")
    said = run_ctl(build, "import", "orders", store.folder / "order_lines.csv", database=learned).stdout
    assert "orders: 0 new, 0 changed" in said
    assert learned.sql("SELECT count(*), sum(digest) FROM affinity.orders") == before
