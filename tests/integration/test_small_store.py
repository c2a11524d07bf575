# SPDX-License-Identifier: Apache-2.0
"""A store of a hundred orders, and products that nobody has bought yet: full answers, honestly labelled."""

import time

import pytest

from demo_store import DemoStore
from support.database import Database
from support.programs import run_ctl

LINES = 350
PRODUCTS = 201


@pytest.fixture(scope="module")
def store(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    run_ctl(build, "generate", "--out", folder, "--lines", LINES, "--products", PRODUCTS, "--quiet")
    return DemoStore(folder)


@pytest.fixture(scope="module")
def learned(build, postgres, template_database, store):
    database = Database(postgres, postgres.create(template=template_database.name))
    for what, name in [("orders", "order_lines"), ("products", "products"), ("customers", "customers")]:
        run_ctl(build, "import", what, store.folder / f"{name}.csv", "--quiet", database=database)
    run_ctl(build, "rebuild", "--quiet", database=database)
    yield database
    postgres.drop(database.name)


def cents(row):
    return int(row["price"].replace(".", ""))


def put(service, **product):
    answer = service.request("PUT", "/v1/products", json=[product])
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_product_page_and_cart_of_a_hundred_orders_has_a_full_answer_with_its_label(store, learned, service):
    assert 80 <= len(store.baskets) <= 125
    one = service(learned)
    questions = [{"product": product} for product in store.products]
    questions += [{"cart": ",".join(sorted(basket)[:5])} for basket in store.baskets.values()]
    questions += [{"customer": customer} for customer in store.customers]
    for question in questions:
        items = one.get("/recommend", limit=10, **question).json()["items"]
        assert len(items) == 10, question
        assert all(item["low_confidence"] is True for item in items), question
        assert len({item["product"] for item in items}) == 10


def test_a_new_product_has_neighbours_with_the_request_after_its_own(store, learned, service):
    """Those of a product that is like it, among others."""
    one = service(learned)
    model = max(
        (product for product in store.products if store.orders_with(product) >= 5),
        key=lambda product: len(one.get(f"/v1/products/{product}/affinities", limit=100).json()["items"]),
    )
    row = store.products[model]
    known = [item["product"] for item in one.get(f"/v1/products/{model}/affinities", limit=100).json()["items"]]
    assert known, "the store has no pairs"
    copy = {"name": row["name"], "category": row["category"], "brand": row["brand"]}
    put(one, id="brand-new", price=cents(row), **copy)
    items = one.get("/recommend", product="brand-new", limit=10, explain="full").json()["items"]
    borrowed = [item for item in items if item["reason"]["code"] == "bought_with_similar"]
    assert borrowed and borrowed[0] == items[0]
    assert set(known) & {item["product"] for item in borrowed}
    for item in borrowed:
        assert item["kind"] == "cross_sell" and item["origin"] == "content"
        assert item["reason"]["via"] == "brand-new" and item["evidence"] is None and item["low_confidence"] is True
        assert {term["source"] for term in item["terms"]} <= {"content", "popular"}
        assert sum(term["weight"] * term["value"] for term in item["terms"]) == pytest.approx(item["score"], abs=1e-5)
    assert one.get("/recommend", cart="brand-new", limit=10).json()["items"][0]["origin"] == "content"
    off = service(learned, recommend_weight_content=0)
    assert all(item["origin"] == "popular" for item in off.get("/recommend", product="brand-new").json()["items"])


def test_a_category_nobody_knows_still_finds_what_is_like_it(store, learned, service):
    one = service(learned)
    known = next(product for product in store.products if store.orders_with(product) >= 5)
    row = store.products[known]
    put(one, id="odd-one", name=row["name"], brand=row["brand"], price=cents(row), category="Zz")
    items = one.get("/recommend", product="odd-one", limit=10).json()["items"]
    assert len(items) == 10


def test_a_new_product_gets_a_place_beside_what_it_is_like(store, learned, service):
    one = service(learned)
    page, known = next(
        (product, item["product"])
        for product in store.products
        for item in one.get("/recommend", product=product, limit=1).json()["items"]
        if item["origin"] == "affinity" and store.orders_with(item["product"]) >= 5
    )
    row = store.products[known]
    put(one, id="twin", name=row["name"], category=row["category"], brand=row["brand"], price=cents(row))
    deadline = time.monotonic() + 20
    while True:  # the lists are made anew every five seconds
        items = one.get("/recommend", product=page, limit=50).json()["items"]
        twin = [item for item in items if item["product"] == "twin"]
        if twin or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    assert twin and twin[0]["origin"] == "content" and twin[0]["low_confidence"] is True, items
    assert twin[0]["reason"] == {"code": "similar", "via": known, "text": f"Similar to {known}."}
    assert twin[0]["rank"] > 1


def test_rotation_is_the_same_within_the_hour_and_goes_by_customer(store, learned, service):
    one = service(learned)
    page = max(store.products, key=store.orders_with)

    def scores(**who):
        items = one.get("/recommend", product=page, limit=100, rotation=1, **who).json()["items"]
        return {item["product"]: item["score"] for item in items if item["origin"] != "popular"}

    if time.time() % 3600 > 3595:
        time.sleep(6)
    ann = scores(customer="ann", session="s1")
    assert ann and ann == scores(customer="ann", session="s2")
    assert ann != scores(customer="bob", session="s1") != scores(session="s1")
    assert scores(session="s1") == scores(session="s1")
