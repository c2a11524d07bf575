# SPDX-License-Identifier: Apache-2.0
"""affinityctl import products and customers against a private PostgreSQL."""

import pytest


@pytest.fixture
def write(tmp_path):
    def write_file(name, text):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


PRODUCTS = (
    "product_id,name,category,brand,price,compare_at,cost,stock,available,durable,attributes,attr.size\n"
    'P1,Cup,"Kitchen > Cups",Acme,4.50,5,1.20,7,yes,no,"{""a"": [1]}",L\n'
    "P2,Pot,,,,,,,,,,\n"
)
ALL = (
    "SELECT id, name, category, brand, price, compare_at, cost, stock, available, durable, attributes"
    " FROM affinity.product ORDER BY id"
)


def test_products_are_created_and_changed(ctl, database, write):
    path = write("products.csv", PRODUCTS)
    result = ctl("import", "products", path, database=database)
    assert "products: 2 new, 0 changed, 0 unchanged" in result.stdout
    first = [
        ("P1", "Cup", "Kitchen > Cups", "Acme", "450", "500", "120", "7", "t", "f", '{"a": [1], "size": "L"}'),
        ("P2", "Pot", "", "", "", "", "", "", "t", "f", "{}"),
    ]
    assert database.sql(ALL) == first
    updated = database.sql("SELECT max(updated_at) FROM affinity.product")
    result = ctl("import", "products", path, database=database)
    assert "products: 0 new, 0 changed, 2 unchanged" in result.stdout
    assert database.sql("SELECT max(updated_at) FROM affinity.product") == updated
    # Only the columns that the file has are written; the last row of an id counts.
    result = ctl("import", "products", write("p.csv", "stock,product_id\n1,P2\n3,P3\n9,P2\n"), database=database)
    assert "products: 1 new, 1 changed, 0 unchanged" in result.stdout
    assert "1 rows whose id came again later" in result.stdout
    assert database.sql(ALL)[0] == first[0]
    assert database.sql("SELECT id, name, stock FROM affinity.product WHERE id > 'P1' ORDER BY 1") == [
        ("P2", "Pot", "9"),
        ("P3", "", "3"),
    ]


def test_a_product_seen_in_orders_gets_its_name(ctl, database, write):
    orders = "order_id,ordered_at,product_id,quantity,unit_price\nA1,2024-01-01,P1,1,1\n"
    ctl("import", "orders", write("orders.csv", orders), database=database)
    number = database.sql("SELECT product FROM affinity.product")
    result = ctl("import", "products", write("products.csv", PRODUCTS), database=database)
    assert "products: 1 new, 1 changed, 0 unchanged" in result.stdout
    assert database.sql("SELECT product FROM affinity.product WHERE id = 'P1'") == number


def test_bad_rows_are_rejected_and_the_rest_loaded(ctl, database, write, tmp_path):
    rejects = tmp_path / "rejects.csv"
    text = "product_id,price,attributes\nP1,free,\nP2,1,{}\nP3,1,[]\n,1,\n"
    result = ctl("import", "products", "--rejects", rejects, write("p.csv", text), database=database, check=False)
    assert result.returncode == 3
    assert database.sql("SELECT id FROM affinity.product") == [("P2",)]
    assert [line.split(",")[1:3] for line in rejects.read_text().splitlines()[1:]] == [
        ["2", '"price"'],
        ["4", '"attributes"'],
        ["5", '"product_id"'],
    ]


def test_customers_are_created_and_changed(ctl, database, write):
    text = "customer_id;country;segment;attr.plan\nK1;NL;new;gold\nK2;;;\n"
    result = ctl("import", "customers", write("customers.csv", text), database=database)
    assert "customers: 2 new" in result.stdout
    result = ctl("import", "customers", write("c.csv", "customer_id,country\nK1,BE\nK2,\n"), database=database)
    assert "customers: 0 new, 1 changed, 1 unchanged" in result.stdout
    assert database.sql("SELECT id, country, segment, attributes FROM affinity.customer ORDER BY 1") == [
        ("K1", "BE", "new", '{"plan": "gold"}'),
        ("K2", "", "", "{}"),
    ]


def test_files_of_one_import_have_the_same_columns(ctl, database, write):
    one, two = write("one.csv", "product_id,price\nP1,1\n"), write("two.csv", "product_id,stock\nP2,1\n")
    result = ctl("import", "products", one, two, database=database, check=False)
    assert result.returncode == 1
    assert "other columns" in result.stderr
    three = write("three.csv", "price,product_id\n2,P2\n")
    assert "products: 2 new" in ctl("import", "products", one, three, database=database).stdout
