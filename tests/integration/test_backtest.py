# SPDX-License-Identifier: Apache-2.0
"""affinityctl backtest on a generated store, and its page in a browser."""
import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from support.database import Database
from support.programs import run_ctl

ORDER_TASKS = ["random", "random_guest", "last", "last_guest", "next_basket"]
METRICS = ["HR", "MRR", "NDCG", "recall", "revenue", "coverage"]


@pytest.fixture(scope="module")
def shop(postgres, template_database, build, tmp_path_factory):
    """A generated store of 20,000 lines, imported; a backtest changes nothing, so that all tests share it."""
    folder = tmp_path_factory.mktemp("backtest")
    database = Database(postgres, postgres.create(template=template_database.name))
    run_ctl(build, "generate", "--out", folder, "--lines", "20000", "--seed", "3", "--quiet")
    for what, file in (("products", "products.csv"), ("customers", "customers.csv"), ("orders", "order_lines.csv")):
        run_ctl(build, "import", what, "--quiet", folder / file, database=database)
    sessions = folder / "sessions.csv"
    with sessions.open("w") as file:
        file.write("session_id,item_id,ts\n")
        for session in range(400):
            for view in range(4):
                file.write(f"s{session},v{(session * 7 + view) % 50},{1_700_000_000 + 600 * session + view}\n")
    run_ctl(build, "import", "sessions", "--quiet", sessions, database=database)
    yield database
    postgres.drop(database.name)


@pytest.fixture(scope="module")
def whole(shop, build, tmp_path_factory):
    """One backtest of everything: folder with back.json and back.html, and the table."""
    folder = tmp_path_factory.mktemp("output")
    done = run_ctl(build, "backtest", "--leave-one-out", "--diversity", "--json", folder / "back.json", "--html",
                   folder / "back.html", database=shop)
    return folder, done


def rows_of(result, task):
    return {row["name"]: row for row in next(part for part in result["tasks"] if part["task"] == task)["rows"]}


def test_every_method_answers_the_same_questions(whole):
    folder, done = whole
    result = json.loads((folder / "back.json").read_text())
    assert [part["task"] for part in result["tasks"]] == ORDER_TASKS + ["views"]
    orders = result["orders"]
    assert orders["left_out"] == 0 and orders["asked"] == pytest.approx((orders["learned"] + orders["asked"]) / 10, abs=1)
    assert orders["from"] < orders["split"] <= orders["to"]
    for part in result["tasks"]:
        rows = {row["name"]: row for row in part["rows"]}
        assert part["queries"] >= part["groups"] >= 20
        assert {"popularity", "recent", "confidence", "lift", "llr", "jaccard", "cosine", "ridge", "sequence", "blend"} <= rows.keys()
        assert ("personal" in rows) == (part["task"] in ("random", "last", "next_basket"))
        assert {"diversity 0.3", "diversity 0.6", "rotation 1"} <= rows.keys()
        assert any(name.startswith("without ") for name in rows)
        for name, row in rows.items():
            assert list(row["figures"]) == METRICS
            for metric, figure in row["figures"].items():
                assert 0 <= figure["low"] <= figure["value"] <= figure["high"], (part["task"], name, metric)
                assert metric == "revenue" or figure["high"] <= 1
            assert ("against_blend" in row) == (name != "blend")
            for metric, gain in row.get("against_blend", {}).items():
                assert gain["value"] == pytest.approx(row["figures"][metric]["value"] - rows["blend"]["figures"][metric]["value"], abs=2e-6)
    # The generator plants affinities: what is served must see them, and popularity cannot.
    for task in ("random_guest", "last_guest"):
        rows = rows_of(result, task)
        assert rows["popularity"]["against_blend"]["HR"]["high"] < 0
        assert rows["ridge"]["figures"]["HR"]["low"] > rows["popularity"]["figures"]["HR"]["value"]
    assert rows_of(result, "next_basket")["personal"]["figures"]["recall"]["value"] > rows_of(result, "next_basket")["popularity"]["figures"]["recall"]["value"]
    # Views go round in a circle of 50: what follows is certain.
    assert rows_of(result, "views")["blend"]["figures"]["HR"]["value"] > 0.95
    for task in ORDER_TASKS:
        assert f"\n{task}: " in done.stdout
    assert "asking" in done.stderr  # progress


def test_the_same_seed_gives_the_same_figures_and_another_one_others(shop, ctl, tmp_path):
    def figures(seed, threads):
        file = tmp_path / "figures.json"
        ctl("backtest", "--tasks", "random,views", "--methods", "cosine,sessions", "--seed", seed, "--queries", "300",
            "--json", file, "--set", f"learn.threads={threads}", "--quiet", database=shop)
        text = file.read_text()
        return re.sub(r'"(seconds|mean_us|seed)":[0-9.]+', "", text)

    first = figures(1, 1)
    assert figures(1, 2) == first
    assert figures(2, 2) != first


def test_a_shorter_answer_and_fewer_queries_can_be_asked_for(shop, ctl, tmp_path):
    file = tmp_path / "short.json"
    ctl("backtest", "--tasks", "last_guest", "--methods", "ridge", "--limit", "3", "--queries", "100", "--test-share", "0.3",
        "--json", file, "--quiet", database=shop)
    result = json.loads(file.read_text())
    (part,) = result["tasks"]
    assert part["k"] == 3 and 20 <= part["queries"] <= 100
    assert [row["name"] for row in part["rows"]] == ["ridge", "blend"]
    orders = result["orders"]
    assert orders["asked"] / (orders["asked"] + orders["learned"]) == pytest.approx(0.3, abs=0.001)


@pytest.mark.parametrize(
    "arguments, texts",
    [
        (["--tasks", "random,basket"], ["--tasks", "'basket'", "next_basket", "views"]),
        (["--tasks", ""], ["--tasks", "random"]),
        (["--methods", "magic"], ["--methods", "'magic'", "jaccard", "blend"]),
        (["--test-share", "0.9"], ["--test-share", "0.5", "0.9"]),
        (["--test-share", "nan"], ["--test-share"]),
        (["--limit", "0"], ["--limit", "1 to 100"]),
        (["--queries", "5"], ["--queries", "20"]),
        (["--seed", "-1"], ["--seed"]),
        (["--html"], ["--html needs a value"]),
        (["--fast"], ["no option --fast"]),
        (["main"], ["'main'"]),
    ],
)
def test_wrong_arguments_are_named(ctl, arguments, texts):
    result = ctl("backtest", *arguments, check=False)
    assert result.returncode == 2 and result.stdout == ""
    for text in texts:
        assert text in result.stderr, result.stderr


def test_the_help_has_examples(ctl):
    text = ctl("backtest", "--help").stdout
    for word in ("Examples:", "--leave-one-out", "next_basket", "configured"):
        assert word in text


def test_a_file_that_cannot_be_written_is_told_before_the_work(shop, ctl, tmp_path):
    began = time.monotonic()
    result = ctl("backtest", "--html", tmp_path / "no" / "back.html", database=shop, check=False)
    assert result.returncode == 1 and "cannot be written: No such file or directory" in result.stderr
    assert "learning" not in result.stderr and time.monotonic() - began < 20


def test_a_store_with_few_orders_is_told_how_many_are_needed(database, ctl):
    database.sql("INSERT INTO affinity.store (store, name, currency) VALUES (1, 'main', 'EUR')")
    result = ctl("backtest", "--quiet", database=database, check=False)
    assert result.returncode == 1 and "at least 100 orders" in result.stderr, result.stderr
    result = ctl("backtest", "--quiet", "--store", "nowhere", database=database, check=False)
    assert result.returncode == 1 and "nowhere" in result.stderr


def test_an_interrupted_backtest_leaves_no_file(shop, build, tmp_path):
    page = tmp_path / "back.html"
    page.write_text("the page of yesterday")
    process = subprocess.Popen(
        [build / "affinityctl", "backtest", "--html", page, "--leave-one-out", "--queries", "1000000", "--database", shop.url],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not (tmp_path / "back.html.partial").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1 and "interrupted; nothing was written" in err, err
    assert out == ""
    assert [file.name for file in tmp_path.iterdir()] == ["back.html"] and page.read_text() == "the page of yesterday"


# ---- the page ----

# Measures the page in a frame of a given width and says what it found in the title of the outer page.
MEASURE = """<!doctype html><title>waiting</title><body><script>
const page = PAGE;
const measure = width => new Promise(done => {
  const frame = document.createElement("iframe");
  frame.style = `width:${width}px;height:900px;border:0`;
  frame.onload = () => {
    const view = frame.contentWindow, inner = frame.contentDocument, root = inner.documentElement;
    const bars = [...inner.querySelectorAll(".bars rect")].map(bar => bar.getBoundingClientRect());
    const whiskers = [...inner.querySelectorAll(".whisker")].map(line => line.getBoundingClientRect());
    const names = [...inner.querySelectorAll(".bars .name, .bars .value")];
    done({
      width, overflow: root.scrollWidth - root.clientWidth, bars: bars.length, whiskers: whiskers.length,
      wide: Math.max(...bars.map(bar => bar.width)), outside: bars.filter(bar => bar.right > width || bar.left < 0).length,
      small: names.filter(name => parseFloat(view.getComputedStyle(name).fontSize) < 11).length,
      cut: names.filter(name => name.scrollWidth > name.clientWidth + 1 && name.clientWidth > 0).length,
      tables: inner.querySelectorAll("table").length, figures: inner.querySelectorAll("figure").length,
      ground: view.getComputedStyle(inner.body).backgroundColor, ink: view.getComputedStyle(inner.body).color,
      dead: [...inner.querySelectorAll("a")].filter(a => !inner.querySelector(a.getAttribute("href"))).length,
      loads: view.performance.getEntriesByType("resource").length,
    });
  };
  frame.srcdoc = page;
  document.body.append(frame);
});
(async () => {
  const found = [];
  for (const width of [360, 768, 1280]) found.push(await measure(width));
  document.body.innerHTML = "";
  const out = document.createElement("pre");
  out.id = "found";
  out.textContent = JSON.stringify(found);
  document.body.append(out);
})();
</script>"""


def browse(tmp_path, page, *options):
    chromium = shutil.which("chromium")
    assert chromium, "chromium is missing: scripts/packages.sh install test"
    outer = tmp_path / "outer.html"
    outer.write_text(MEASURE.replace("PAGE", json.dumps(page).replace("</", "<\\/")))
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={tmp_path}/profile",
         "--virtual-time-budget=20000", "--window-size=1400,1000", *options, "--dump-dom", outer.as_uri()],
        capture_output=True, text=True, timeout=120, check=True, env={**os.environ, "HOME": str(tmp_path)})
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.S)
    assert found, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(found.group(1))


def test_the_page_needs_nothing_else(whole):
    page = (whole[0] / "back.html").read_text()
    assert not re.search(r"https?://|<script|<link|<img|@import|url\(", page)
    assert "nan" not in re.sub(r"<[^>]*>", " ", page).lower().split() and "inf" not in page.lower().split()
    for text in ("How to read this", "log2(i + 1)", "Next product viewed in a session", "What each source adds", "coverage@10", "95 %"):
        assert text in page


def test_the_page_is_readable_on_a_phone_and_on_a_screen(whole, tmp_path):
    page = (whole[0] / "back.html").read_text()
    rows = sum(len(part["rows"]) for part in json.loads((whole[0] / "back.json").read_text())["tasks"])
    for found in browse(tmp_path, page):
        assert found["overflow"] <= 0, found
        assert found["outside"] == 0 and found["small"] == 0 and found["cut"] == 0 and found["dead"] == 0, found
        assert found["bars"] >= 2 * rows and found["whiskers"] == 3 * found["bars"], found
        assert found["wide"] > 60 and found["figures"] >= 2 * 6 and found["tables"] >= 6, found
        assert found["loads"] == 0, found


def test_the_page_has_a_dark_side(whole, tmp_path):
    page = (whole[0] / "back.html").read_text()
    dark = browse(tmp_path, page, "--blink-settings=preferredColorScheme=0")[0]
    light = browse(tmp_path, page, "--blink-settings=preferredColorScheme=1")[0]
    brightness = lambda colour: sum(int(part) for part in re.findall(r"\d+", colour)[:3])
    assert brightness(light["ground"]) > brightness(light["ink"]) + 300
    assert brightness(dark["ground"]) < brightness(dark["ink"]) - 300
