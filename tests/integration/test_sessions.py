# SPDX-License-Identifier: Apache-2.0
"""Sessions of viewed products: import, recommendations as views, and weights fitted to the store."""
import json


def write(path, rows):
    path.write_text("session_id,item_id,ts\n" + "".join(f"{s},{i},{t}\n" for s, i, t in rows))


def ask(ctl, database, tmp_path, views, *arguments):
    queries = tmp_path / "queries.jsonl"
    queries.write_text(json.dumps({"query_id": "q", "cart": views, "at": 19000.0}) + "\n")
    result = ctl("recommend", "--batch", str(queries), "--quiet", "--as", "views", *arguments, database=database)
    return json.loads(result.stdout)["items"]


def lamp_sessions(tmp_path):
    """40 sessions of a lamp and then a bulb, each fourth of a shade."""
    file = tmp_path / "sessions.csv"
    rows = []
    for s in range(40):
        rows += [(f"s{s}", "lamp", 1600000000 + 100 * s), (f"s{s}", "bulb" if s % 4 else "shade", 1600000010.5 + 100 * s)]
    write(file, rows)
    return file


def test_what_followed_in_other_sessions_is_offered_next(ctl, database, tmp_path):
    ctl("migrate", "up", database=database)
    file = lamp_sessions(tmp_path)
    first = ctl("import", "sessions", "--quiet", str(file), database=database)
    assert "40 sessions" in first.stdout and "80 views" in first.stdout and "3 new products" in first.stdout
    assert "new products" not in ctl("import", "sessions", "--quiet", str(file), database=database).stdout
    items = ask(ctl, database, tmp_path, ["lamp"])
    assert items[0] == "bulb" and "shade" in items
    # What was viewed may be offered again, and without the sources nothing is left that names these products.
    assert "lamp" in ask(ctl, database, tmp_path, ["lamp", "bulb", "shade"])
    assert ask(ctl, database, tmp_path, ["lamp"], "--without", "alike,viewed,seen") == []


def test_the_service_answers_views_and_sessions(service, ctl, database, tmp_path):
    ctl("migrate", "up", database=database)
    ctl("import", "sessions", "--quiet", lamp_sessions(tmp_path), database=database)
    database.sql("UPDATE affinity.product SET price = 100")
    one = service(database, learn_enabled="false")

    asked = one.get("/recommend", cart="lamp", **{"as": "views"}).json()
    assert asked["items"][0]["product"] == "bulb"
    assert asked["items"][0]["reason"] == {"code": "viewed_next", "via": "lamp", "text": "Often looked at after lamp."}
    posted = one.post("/recommend", json={"cart": ["lamp"], "as": "views"}).json()
    assert [item["product"] for item in posted["items"]] == [item["product"] for item in asked["items"]]
    assert one.get("/recommend", cart="lamp", **{"as": "seen"}).status_code == 400

    for n, product in enumerate(["shade", "lamp"]):
        view = {"event_id": f"v{n}", "kind": "view", "session": "here", "product": product}
        assert one.post("/v1/events", json={"events": [view]}).status_code == 200
    offered = [item["product"] for item in one.get("/recommend", session="here").json()["items"]]
    assert offered[0] == "bulb" and "shade" in offered and "lamp" not in offered


def test_what_speaks_for_an_item_is_named(ctl, database, tmp_path):
    ctl("migrate", "up", database=database)
    file = tmp_path / "sessions.csv"
    write(file, [(f"s{s}", item, 1600000000 + 100 * s + n) for s in range(40) for n, item in enumerate(["lamp", "bulb", "lamp"])])
    ctl("import", "sessions", "--quiet", file, database=database)

    def shown(*without):
        return ctl("recommend", "--cart", "lamp,bulb", "--as", "views", *without, database=database).stdout

    assert "viewed after bulb" in shown()
    alone = shown("--without", "alike,viewed")
    assert "viewed before" in alone and "viewed after" not in alone


def test_a_bad_view_is_rejected_alone(ctl, database, tmp_path):
    ctl("migrate", "up", database=database)
    file = tmp_path / "sessions.csv"
    write(file, [("a", "lamp", "yesterday"), ("a", "lamp", "1600000000"), ("", "lamp", "1600000000")])
    rejects = tmp_path / "rejects.csv"
    result = ctl("import", "sessions", "--quiet", "--rejects", str(rejects), str(file), database=database, check=False)
    assert result.returncode == 3 and "1 sessions" in result.stdout
    assert len(rejects.read_text().splitlines()) == 3


def test_weights_are_fitted_stored_and_switched_back(ctl, database, tmp_path):
    ctl("migrate", "up", database=database)
    file = tmp_path / "sessions.csv"
    write(file, [(f"s{s}", f"p{(s * 7 + v * (1 + s % 3)) % 30}", 1600000000 + 60 * s + v) for s in range(900) for v in range(6)])
    ctl("import", "sessions", "--quiet", str(file), database=database)
    shown = ctl("tune", "--dry-run", database=database).stdout
    assert "views" in shown and "HR@20" in shown and "too few" in shown
    stored = ctl("tune", database=database).stdout
    assert stored.replace(" (fit 1)", " without --dry-run") == shown  # the same data give the same fit
    assert "fits are no longer used" in ctl("tune", "--reset", database=database).stdout
