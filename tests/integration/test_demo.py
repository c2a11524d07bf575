# SPDX-License-Identifier: Apache-2.0
"""./demo.sh from start to stop, on the programs under test and in a folder of its own."""

import gzip
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest
import requests

from support.programs import environment
from support.service import free_port

LINES = 5000


class Demo:
    def __init__(self, root, build, folder):
        self.root = root
        self.folder = folder
        self.port = free_port()
        self.env = environment(extra={"DEMO_DIR": str(folder), "DEMO_LINES": str(LINES), "AFF_BUILD": str(build)})

    def start(self, *arguments):
        """demo.sh as a process of its own group, so that a Ctrl-C can be sent to all of it."""
        return subprocess.Popen(
            [str(self.root / "demo.sh"), *map(str, arguments)],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # A test run in the background ignores SIGINT, and its children would inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def run(self, *arguments, check=True):
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=300)
        assert not check or process.returncode == 0, output
        return subprocess.CompletedProcess(arguments, process.returncode, output)

    def processes(self):
        """Processes that belong to this demo: its service, or a PostgreSQL on its data."""
        where = self.folder / "postgres" / "where"
        marks = [str(self.folder), *(where.read_text().splitlines()[:1] if where.exists() else [])]
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                text = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            except OSError:
                continue
            if any(mark.encode() in text for mark in marks) and int(process.name) != os.getpid():
                found.append((process.name, text[:200]))
        return found


@pytest.fixture(scope="module")
def demo(root, build):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="affinity-demo-"))
    one = Demo(root, build, folder)
    yield one
    one.run("--stop", check=False)
    subprocess.run([root / "tests/support/private_postgres.sh", "remove", folder / "postgres"], check=True)
    shutil.rmtree(folder)


def answers(url, path, **params):
    answer = requests.get(url + path, params=params, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_one_command_ends_with_a_service_and_lines_that_work_when_pasted(demo):
    output = demo.run("--background", "--port", demo.port).stdout
    lines = [line.strip() for line in output.splitlines() if line.strip().startswith("curl ")]
    assert len(lines) == 3, output
    for line in lines:
        pasted = subprocess.run(["bash", "-c", line], env=demo.env, capture_output=True, text=True, check=True)
        answer = json.loads(pasted.stdout)
        assert answer["items"], line
        assert answer.get("unknown_ids", []) == []


def test_env_names_what_is_running(demo):
    lines = dict(line.split("=", 1) for line in demo.run("--env").stdout.splitlines())
    assert lines["AFFINITY_URL"] == f"http://127.0.0.1:{demo.port}"
    assert answers(lines["AFFINITY_URL"], "/health/ready")
    counted = subprocess.run(
        ["psql", lines["AFFINITY_DATABASE_URL"], "-XAtc", "SELECT count(*) FROM affinity.order_line"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(counted.stdout) == LINES
    assert all(shlex.quote(value) == value for value in lines.values()), "must work with export $(./demo.sh --env)"


def test_a_second_start_changes_nothing(demo):
    before = [process for process, _ in demo.processes()]
    began = time.monotonic()
    output = demo.run("--background", "--port", demo.port).stdout
    assert "running already" in output
    assert time.monotonic() - began < 20
    assert [process for process, _ in demo.processes()] == before


def test_stop_leaves_nothing_running_and_the_next_start_learns_nothing_anew(demo):
    demo.run("--stop")
    assert demo.processes() == []
    assert demo.run("--env", check=False).returncode == 1
    demo.run("--stop")
    output = demo.run("--background", "--port", demo.port).stdout
    assert "curl" in output and "counting pairs" not in output
    demo.run("--stop")


def test_a_taken_port_is_said_before_anything_starts(demo):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = demo.run("--background", "--port", port, check=False)
    assert result.returncode == 1
    assert f"port {port} of 127.0.0.1 is taken" in result.stdout
    assert demo.processes() == []


def test_ctrl_c_stops_everything(demo):
    process = demo.start("--port", demo.port)
    seen = ""
    for line in process.stdout:
        seen += line
        if "Ctrl-C" in line:
            break
    assert "Ctrl-C stops everything" in seen
    assert answers(f"http://127.0.0.1:{demo.port}", "/health/ready")
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert demo.processes() == []


def test_another_shop_takes_the_place_of_the_demo_store(demo, tmp_path):
    lines = ["order_id,customer_id,ordered_at,product_id,quantity,unit_price"]
    for order in range(60):
        products = ["tea pot", "cup"] if order % 2 else ["soap", f"other-{order % 5}"]
        lines += [f"O{order},K{order % 7},2026-01-{order % 28 + 1:02}T10:00:00Z,{p},1,2.50" for p in products]
    lines.append("O99,K1,yesterday,cup,1,2.50")
    with gzip.open(tmp_path / "order_lines.csv.gz", "wt") as file:
        file.write("\n".join(lines) + "\n")
    (tmp_path / "products.csv").write_text("product_id,name,price\ntea pot,Pot,2.50\ncup,Cup,2.50\n")

    output = demo.run("--reset", "--background", "--port", demo.port, "--data", tmp_path).stdout
    assert "rejected" in output
    # Soap and five others are not in products.csv; all products are priced by their sales at first.
    assert "8 products had no price" in output
    assert re.search(r"curl -s '.*cart=(tea%20pot|cup)&", output)
    answer = answers(f"http://127.0.0.1:{demo.port}", "/recommend", cart="cup", limit=1)
    assert [item["product"] for item in answer["items"]] == ["tea pot"]
    demo.run("--stop")
    assert demo.processes() == []
