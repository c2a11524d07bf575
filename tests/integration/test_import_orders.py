# SPDX-License-Identifier: Apache-2.0
"""affinityctl import orders against a private PostgreSQL."""

import csv
import gzip
import os
import shutil
import subprocess

import pytest

from import_files import HEADER, random_orders, staging_tables, stored, text_of
from support.programs import environment


@pytest.fixture
def write(tmp_path):
    def write_file(name, rows, header=HEADER):
        path = tmp_path / name
        path.write_text(rows if isinstance(rows, str) else text_of(rows, header), encoding="utf-8", newline="")
        return path

    return write_file


SMALL = [
    ("A1", "K1", "2024-01-01T10:00:00Z", "P1", 2, "9.99"),
    ("A1", "K1", "2024-01-01T10:00:00Z", "P2", 1, "5"),
    ("A2", "", "2024-01-02", "P1", 1, "9.99"),
]


def test_lines_become_orders(ctl, database, write):
    result = ctl("import", "orders", write("orders.csv", SMALL), database=database)
    assert "orders: 2 new, 0 changed, 0 unchanged" in result.stdout
    assert database.sql("SELECT name, currency FROM affinity.store") == [("main", "EUR")]
    assert database.sql(
        "SELECT o.id, coalesce(c.id, '-'), o.ordered_at, o.cancels FROM affinity.orders o"
        " LEFT JOIN affinity.customer c USING (store, customer) ORDER BY o.id"
    ) == [("A1", "K1", "2024-01-01 10:00:00+00", "f"), ("A2", "-", "2024-01-02 00:00:00+00", "f")]
    assert database.sql(
        "SELECT p.id, l.quantity, l.returned, l.unit_price, l.unit_cost, l.ordered_at, l.customer IS NULL"
        "  FROM affinity.order_line l JOIN affinity.product p USING (store, product)"
        "  JOIN affinity.orders o USING (store, order_key) ORDER BY o.id, p.id"
    ) == [
        ("P1", "2", "0", "999", "", "2024-01-01 10:00:00+00", "f"),
        ("P2", "1", "0", "500", "", "2024-01-01 10:00:00+00", "f"),
        ("P1", "1", "0", "999", "", "2024-01-02 00:00:00+00", "t"),
    ]
    assert staging_tables(database) == []


def test_a_second_import_changes_nothing(ctl, database, write):
    path = write("orders.csv", random_orders(300, 1))
    ctl("import", "orders", "--cancellation-prefix", "C", path, database=database)
    before = stored(database)
    result = ctl("import", "orders", "--cancellation-prefix", "C", path, database=database)
    assert "orders: 0 new, 0 changed, 300 unchanged" in result.stdout
    assert stored(database) == before
    assert staging_tables(database) == []


def test_the_sequence_of_lines_does_not_matter(ctl, database, write):
    rows = random_orders(100, 2)
    ctl("import", "orders", write("one.csv", rows), database=database)
    result = ctl("import", "orders", write("other.csv", rows[::-1]), database=database)
    assert "orders: 0 new, 0 changed, 100 unchanged" in result.stdout


def test_the_sequence_of_imports_does_not_matter(ctl, postgres, template_database, write):
    from support.database import Database

    rows = random_orders(400, 3)
    orders = sorted({row[0] for row in rows})
    parts = [[row for row in rows if orders.index(row[0]) % 3 == part] for part in range(3)]
    results = []
    for sequence in ([[0, 1, 2]], [[2], [1], [0]], [[1], [0], [2]], [[2], [0, 1]]):
        database = Database(postgres, postgres.create(template=template_database.name))
        for numbers in sequence:
            files = [write(f"part{number}.csv", parts[number]) for number in numbers]
            ctl("import", "orders", "--cancellation-prefix=C", *files, database=database)
        results.append(stored(database))
        postgres.drop(database.name)
    assert any(row[0] == "line" and row[6] != "0" for row in results[0])
    assert results[1] == results[0]
    assert results[2] == results[0]
    assert results[3] == results[0]


def test_an_order_with_other_content_is_replaced_whole(ctl, database, write):
    ctl("import", "orders", write("orders.csv", SMALL), database=database)
    edited = [SMALL[0][:4] + (5, "9.99"), SMALL[2]]
    result = ctl("import", "orders", write("orders.csv", edited), database=database)
    assert "orders: 0 new, 1 changed, 1 unchanged" in result.stdout
    assert database.sql(
        "SELECT o.id, l.quantity FROM affinity.order_line l JOIN affinity.orders o USING (store, order_key) ORDER BY 1"
    ) == [("A1", "5"), ("A2", "1")]


RETURNS = [
    ("A1", "K1", "2024-01-01", "P1", 3, "1"),
    ("A2", "K1", "2024-01-02", "P1", 2, "1"),
    ("C3", "K1", "2024-01-03", "P1", -4, "1"),
    ("A4", "K1", "2024-01-04", "P1", 1, "1"),
    ("C5", "K2", "2024-01-05", "P1", -1, "1"),
    ("A6", "K1", "2024-01-06", "P2", -7, "1"),
    ("C7", "", "2024-01-07", "P1", -1, "1"),
]
RETURNED = (
    "SELECT o.id, l.returned FROM affinity.order_line l JOIN affinity.orders o USING (store, order_key)"
    " WHERE l.returned > 0 ORDER BY 1"
)


def test_returns_take_back_the_newest_purchase(ctl, database, write):
    result = ctl("import", "orders", "--cancellation-prefix=C", write("orders.csv", RETURNS), database=database)
    assert "1 returns matched with purchases" in result.stdout
    assert "3 returns without an earlier purchase" in result.stdout
    assert database.sql(RETURNED) == [("A1", "2"), ("A2", "2")]
    assert database.sql("SELECT id FROM affinity.orders WHERE cancels ORDER BY 1") == [("C3",), ("C5",), ("C7",)]


def test_a_return_that_is_edited_away_gives_its_units_back(ctl, database, write):
    options = ("--cancellation-prefix=C", "--commit-every=2")
    ctl("import", "orders", *options, write("orders.csv", RETURNS), database=database)
    less = [("C3", "K1", "2024-01-03", "P1", -1, "1")]
    ctl("import", "orders", *options, write("less.csv", less), database=database)
    assert database.sql(RETURNED) == [("A2", "1")]
    other_customer = [("C3", "K2", "2024-01-03", "P1", -1, "1")]
    ctl("import", "orders", *options, write("other.csv", other_customer), database=database)
    assert database.sql(RETURNED) == []
    late = [("A0", "K2", "2023-12-31", "P1", 1, "1")]
    ctl("import", "orders", *options, write("late.csv", late), database=database)
    assert database.sql(RETURNED) == [("A0", "1")]


def test_a_small_import_into_a_large_store_matches_returns_alike(ctl, database, write):
    rows = [row for row in random_orders(600, 4)]
    ctl("import", "orders", write("all.csv", rows), database=database)
    expected = stored(database)
    database.sql("TRUNCATE affinity.orders, affinity.order_line")
    last = max(row[2] for row in rows)
    late = {row[0] for row in rows if row[4] < 0 or row[2] == last}
    late = set(sorted(late)[:20])
    ctl("import", "orders", write("most.csv", [row for row in rows if row[0] not in late]), database=database)
    database.sql("ANALYZE affinity.orders")
    assert int(database.sql("SELECT reltuples FROM pg_class WHERE relname = 'orders'")[0][0]) > 20 * len(late)
    ctl("import", "orders", write("rest.csv", [row for row in rows if row[0] in late]), database=database)
    assert stored(database) == expected


def test_an_order_takes_its_earliest_line_s_time_and_customer(ctl, database, write):
    rows = [
        ("A1", "", "2024-01-01T09:00:00Z", "P1", 1, "1"),
        ("A2", "K9", "2024-01-01", "P1", 1, "1"),
        ("A1", "K3", "2024-01-01T11:00:00Z", "P2", 1, "1"),
        ("A1", "K5", "2024-01-01T10:00:00Z", "P3", 1, "1"),
    ]
    result = ctl("import", "orders", write("orders.csv", rows), database=database)
    assert "1 orders with several customers" in result.stdout
    assert database.sql(
        "SELECT DISTINCT c.id, l.ordered_at FROM affinity.order_line l JOIN affinity.orders o USING (store, order_key)"
        " JOIN affinity.customer c ON c.customer = l.customer WHERE o.id = 'A1' AND o.customer = l.customer"
        " AND o.ordered_at = l.ordered_at"
    ) == [("K5", "2024-01-01 09:00:00+00")]


@pytest.mark.parametrize("packing", ["plain", "gzip", "zstd", "stdin"])
def test_packed_files_and_standard_input_are_read(ctl, database, write, tmp_path, packing):
    path = write("orders.csv", random_orders(50, 5))
    if packing == "stdin":
        result = ctl("import", "orders", "-", database=database, input=path.read_text())
    else:
        if packing == "gzip":
            with gzip.open(tmp_path / "packed", "wb") as packed:
                packed.write(path.read_bytes())
        elif packing == "zstd":
            if shutil.which("zstd") is None:
                pytest.skip("no zstd program")
            subprocess.run(["zstd", "-q", str(path), "-o", str(tmp_path / "packed")], check=True)
        result = ctl("import", "orders", path if packing == "plain" else tmp_path / "packed", database=database)
    assert "orders: 50 new" in result.stdout


def test_bad_records_are_rejected_one_by_one(ctl, database, write, tmp_path):
    text = (
        "order_id,customer_id,ordered_at,product_id,quantity,unit_price,note\n"
        "A1,K1,2024-01-01,P1,1,1.00,\n"
        "A2,K1,yesterday,P1,1,1.00,\n"
        "A3,K1,2024-01-01,P1,0,1.00,\n"
        "A4,K1,2024-01-01,P1,1,1.00\n"
        'A5,K1,2024-01-01,P1,1,1.00,"open\n'
        "A6,K1,2024-01-01,P1,1,-1.00,\n"
        'A7,K1,2024-01-01,P1,1,1.00,"two\nlines"\n'
        "A8,K1,2024-01-01,P1,1,1.001,\n"
    )
    rejects = tmp_path / "rejects.csv"
    result = ctl(
        "import", "orders", "--rejects", rejects, write("orders.csv", text), database=database, check=False
    )
    assert result.returncode == 3
    assert "orders: 2 new" in result.stdout
    assert "columns without a meaning here, ignored: note" in result.stderr
    assert database.sql("SELECT id FROM affinity.orders ORDER BY 1") == [("A1",), ("A7",)]
    with open(rejects, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["line"], row["column"], row["record"].split(",")[0]) for row in rows] == [
        ("3", "ordered_at", "A2"),
        ("4", "quantity", "A3"),
        ("5", "note", "A4"),
        ("6", "note", "A5"),
        ("7", "unit_price", "A6"),
        ("10", "unit_price", "A8"),
    ]
    assert rows[3]["record"] == 'A5,K1,2024-01-01,P1,1,1.00,"open'
    assert all(row["reason"] in result.stdout for row in rows)


def test_the_rejects_file_is_named_after_the_first_file_and_made_only_when_needed(build, database, write, tmp_path):
    folder = tmp_path / "here"
    folder.mkdir()
    good, bad = write("good.csv", SMALL), write("bad.csv", [("A1", "K", "x", "P", 1, 1)])
    for path, status in ((good, 0), (bad, 3)):
        done = subprocess.run(
            [build / "affinityctl", "import", "orders", path], cwd=folder, env=environment(database), capture_output=True
        )
        assert done.returncode == status
    assert os.listdir(folder) == ["bad.rejects.csv"]


def test_too_many_rejects_stop_and_store_nothing(ctl, database, write, tmp_path):
    rows = SMALL + [("A9", "K1", "never", "P1", 1, "1")] * 3
    path = write("orders.csv", rows)
    options = ("--rejects", tmp_path / "rejects.csv", "--max-rejects")
    result = ctl("import", "orders", *options, "2", path, database=database, check=False)
    assert result.returncode == 1
    assert "more than 2 records were rejected" in result.stderr
    assert stored(database) == []
    assert ctl("import", "orders", *options, "3", path, database=database, check=False).returncode == 3


def test_a_dry_run_needs_no_database(ctl, write, tmp_path):
    path = write("orders.csv", SMALL + [("A9", "K1", "never", "P1", 1, "1")])
    result = ctl("import", "orders", "--dry-run", "--rejects", tmp_path / "rejects.csv", path, check=False)
    assert result.returncode == 3
    assert "3 order lines are fine" in result.stdout


def test_columns_are_mapped_by_options_and_import_conf(ctl, database, write):
    header = ("invoice", "K", "when", "sku", "qty", "net")
    path = write("sales.csv", text_of(SMALL, header).replace(",", ";"))
    write(
        "import.conf",
        "[orders]\ncurrency = JPY\nzero_price = keep\ncolumn.order_id = invoice\ncolumn.customer_id = K\n"
        "column.ordered_at = when\ncolumn.product_id = sku\ncolumn.quantity = wrong\ncolumn.unit_price = net\n",
    )
    result = ctl("import", "orders", path, database=database, check=False)
    assert result.returncode == 1
    assert "'wrong'" in result.stderr
    result = ctl(
        "import", "orders", "--column", "quantity=qty", "--prices=round", path, database=database
    )
    assert "2 lines with an amount that was rounded" in result.stdout
    assert database.sql("SELECT currency FROM affinity.store") == [("JPY",)]
    assert database.sql("SELECT unit_price FROM affinity.order_line ORDER BY 1") == [("5",), ("10",), ("10",)]


def test_products_and_free_lines_are_left_out_by_rule(ctl, database, write):
    rows = SMALL + [("A3", "K1", "2024-01-03", "POST", 1, "1"), ("A3", "K1", "2024-01-03", "P1", 1, "0")]
    result = ctl("import", "orders", "--product-pattern=^P[0-9]", write("orders.csv", rows), database=database)
    assert "1 lines left out: the product does not match the pattern" in result.stdout
    assert "1 lines left out: a price of zero" in result.stdout
    assert database.sql("SELECT id FROM affinity.orders ORDER BY 1") == [("A1",), ("A2",)]


def test_a_store_keeps_its_currency(ctl, database, write):
    path = write("orders.csv", SMALL)
    ctl("import", "orders", "--currency=USD", path, database=database)
    ctl("import", "orders", path, database=database)
    result = ctl("import", "orders", "--currency=EUR", path, database=database, check=False)
    assert result.returncode != 0
    assert "USD" in result.stderr
    ctl("import", "orders", "--store=second", "--currency=EUR", path, database=database)
    assert database.sql("SELECT name, currency FROM affinity.store ORDER BY 1") == [("main", "USD"), ("second", "EUR")]
    assert database.sql("SELECT store, count(*) FROM affinity.orders GROUP BY 1 ORDER BY 1") == [("1", "2"), ("2", "2")]


def test_an_order_whose_key_is_taken_by_another_id_is_rejected(ctl, database, write):
    path = write("orders.csv", SMALL)
    ctl("import", "orders", path, database=database)
    # No two ids with the same 64-bit hash are known, so the stored id is changed instead.
    database.sql("UPDATE affinity.orders SET id = 'B1' WHERE id = 'A1'")
    before = stored(database)
    result = ctl("import", "orders", path, database=database, check=False)
    assert result.returncode == 3
    assert "'A1' has the key of 'B1'" in result.stdout
    assert stored(database) == before


@pytest.mark.parametrize(
    "arguments, status, message",
    [
        ((), 2, "orders, products, customers or sessions"),
        (("nothing", "file"), 2, "orders, products, customers or sessions"),
        (("orders",), 2, "no file"),
        (("orders", "--colour", "x"), 2, "--colour"),
        (("orders", "--column", "x", "file"), 2, "OURS=THEIRS"),
        (("orders", "--column", "x=y", "file"), 2, "no column 'x'"),
        (("orders", "--currency", "euro", "file"), 2, "EUR"),
        (("orders", "--max-rejects", "-1", "file"), 2, "max-rejects"),
        (("orders", "--import-config", "/nonexistent", "file"), 78, "/nonexistent"),
        (("orders", "/nonexistent"), 1, "No such file"),
        (("orders", "/tmp"), 1, "folder"),
    ],
)
def test_wrong_arguments_are_named(ctl, database, arguments, status, message):
    result = ctl("import", *arguments, database=database, check=False)
    assert result.returncode == status
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_help_describes_columns_and_shows_examples(ctl):
    result = ctl("import", "--help")
    assert "order_id, ordered_at, product_id" in result.stdout
    assert "Examples:" in result.stdout


def test_broken_files_store_nothing(ctl, database, write, tmp_path):
    packed = gzip.compress(text_of(random_orders(500, 6)).encode())
    (tmp_path / "cut.csv.gz").write_bytes(packed[:-100])
    for path, message in (
        (tmp_path / "cut.csv.gz", "damaged"),
        (write("empty.csv", ""), "empty"),
        (write("header.csv", "a,b\n"), "no column"),
    ):
        result = ctl("import", "orders", path, database=database, check=False)
        assert result.returncode == 1
        assert message in result.stderr
    assert stored(database) == []


def indexes(database):
    return database.sql(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), conname, contype, indisvalid FROM pg_index"
        " LEFT JOIN pg_constraint ON conindid = indexrelid WHERE indrelid IN"
        " ('affinity.orders'::regclass, 'affinity.order_line'::regclass) ORDER BY 1"
    )


def index_files(database):
    """Files of the indexes, which are others after indexes have been made anew."""
    return database.sql(
        "SELECT relfilenode FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid WHERE indrelid IN"
        " ('affinity.orders'::regclass, 'affinity.order_line'::regclass) ORDER BY 1"
    )


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "large.csv"
    path.write_text(text_of(random_orders(10000, 21)))
    return path


@pytest.fixture
def large_stored(ctl, postgres, template_database, large):
    """What the file gives when the tables are empty: their indexes are made after the rows have come."""
    from support.database import Database

    database = Database(postgres, postgres.create(template=template_database.name))
    before, files = indexes(database), index_files(database)
    result = ctl("import", "orders", "--cancellation-prefix=C", large, database=database)
    assert "making indexes" in result.stderr
    assert indexes(database) == before
    assert len(before) == 5
    assert not set(index_files(database)) & set(files)
    result = stored(database)
    repeated = ctl("import", "orders", "--cancellation-prefix=C", large, database=database)
    assert "orders: 0 new, 0 changed, 10,000 unchanged" in repeated.stdout
    assert stored(database) == result
    postgres.drop(database.name)
    return result


def test_a_large_import_stores_the_same_into_empty_and_used_tables(ctl, database, write, large, large_stored):
    first = [("A0", "K1", "2023-12-31", "P1", 1, "1.00")]
    ctl("import", "orders", "--store=other", write("first.csv", first), database=database)
    files = index_files(database)
    result = ctl("import", "orders", "--cancellation-prefix=C", large, database=database)
    assert "making indexes" not in result.stderr
    assert index_files(database) == files
    database.sql(
        "DELETE FROM affinity.orders WHERE store = 1; DELETE FROM affinity.order_line WHERE store = 1;"
        "DELETE FROM affinity.product WHERE store = 1; DELETE FROM affinity.customer WHERE store = 1"
    )
    assert stored(database) == large_stored


@pytest.mark.parametrize(
    "hindrance",
    [
        "BEGIN; SELECT count(*) FROM affinity.order_line",
        "CREATE VIEW public.heads AS SELECT store, order_key, id, digest FROM affinity.orders GROUP BY store, order_key",
        "CREATE FUNCTION public.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TRIGGER own AFTER INSERT ON affinity.order_line FOR EACH STATEMENT EXECUTE FUNCTION public.nothing()",
    ],
    ids=["a reader", "a view", "a trigger"],
)
def test_a_large_import_leaves_tables_alone_that_somebody_uses(ctl, database, large, large_stored, hindrance):
    before, files = indexes(database), index_files(database)
    other = subprocess.Popen(
        ["psql", database.url, "-Xq"], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    )
    other.stdin.write(hindrance + ";\nSELECT 'ready';\n")
    other.stdin.flush()
    while "ready" not in other.stdout.readline():
        pass
    ctl("import", "orders", "--cancellation-prefix=C", large, database=database)
    other.communicate()
    assert indexes(database) == before
    assert set(index_files(database)) & set(files)
    assert stored(database) == large_stored


def prices(database):
    return dict(database.sql("SELECT id, coalesce(price::text, '-') FROM affinity.product"))


def test_a_product_without_a_price_has_that_of_its_newest_sale(ctl, database, write):
    rows = [
        ("A1", "K1", "2024-01-01", "P1", 1, "9.99"),
        ("A2", "K1", "2024-03-01", "P1", 1, "12.00"),
        ("A3", "K2", "2024-03-01", "P1", 1, "11.50"),  # the same moment: the lower price
        ("A4", "K2", "2024-04-01", "P2", -1, "3.00"),  # a return is no sale
    ]
    result = ctl("import", "orders", write("first.csv", rows), database=database)
    assert "1 products had no price" in result.stdout
    assert prices(database) == {"P1": "1150", "P2": "-"}
    ctl("import", "orders", write("older.csv", [("A0", "K1", "2023-01-01", "P1", 1, "1.00")]), database=database)
    assert prices(database)["P1"] == "1150", "a price that is set stays"
    ctl("import", "products", write("p.csv", [("P1", "Lamp", "20.00")], header=["product_id", "name", "price"]),
        database=database)
    assert prices(database)["P1"] == "2000", "a product file decides"
