# SPDX-License-Identifier: Apache-2.0
"""The cluster that tests, benchmarks and the demo start for themselves."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import pytest

from support.database import SCRIPT, psql


@pytest.fixture
def folder():
    made = pathlib.Path(tempfile.mkdtemp(prefix="affinity-test-"))
    made.chmod(0o755)
    yield made
    for cluster in list(made.glob("**/where")):
        subprocess.run([SCRIPT, "remove", cluster.parent], check=True)
    shutil.rmtree(made)


def run(*arguments, check=True, user=None):
    command = [str(SCRIPT), *map(str, arguments)]
    if user:
        command = ["runuser", "-u", user, "--", *command]
    result = subprocess.run(command, capture_output=True, text=True, cwd="/")
    assert not check or result.returncode == 0, result.stderr
    return result


def test_data_outlive_a_restart_and_nothing_outlives_the_removal(folder):
    cluster = folder / "pg"
    url = run("start", cluster, "--volatile").stdout.strip()
    psql(url, "CREATE TABLE kept AS SELECT 7 AS n")
    assert run("start", cluster).stdout.strip() == url
    where = (cluster / "where").read_text().splitlines()
    run("stop", cluster)
    assert run("status", cluster, check=False).returncode != 0
    assert not pathlib.Path(where[1]).exists()
    url = run("start", cluster, "--volatile").stdout.strip()
    assert psql(url, "SELECT n FROM kept") == "7\0"
    run("remove", cluster)
    assert not cluster.exists() and not pathlib.Path(where[0]).exists()
    run("remove", cluster)


def test_tcp_wants_the_password_of_the_url(folder):
    url = run("start", folder / "pg", "--tcp", "--volatile").stdout.strip()
    assert "@127.0.0.1:" in url
    assert psql(url, "SELECT 1") == "1\0"
    with pytest.raises(AssertionError, match="password authentication failed"):
        psql(url.replace("@127", "x@127"), "SELECT 1")


def test_settings_are_taken_over(folder):
    url = run("start", folder / "pg", "--volatile", "--", "work_mem=8MB", "jit=off").stdout.strip()
    assert psql(url, "SHOW work_mem; SHOW jit; SHOW fsync") == "8MB\0off\0off\0"


def test_the_cluster_goes_with_the_process_that_it_is_for(folder):
    process = subprocess.Popen(["sleep", "600"])
    run("start", folder / "pg", "--volatile", "--while", process.pid)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 30
    while (folder / "pg").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not (folder / "pg").exists()


def test_a_folder_that_is_no_cluster_is_left_alone(folder):
    (folder / "precious").write_text("mine")
    run("remove", folder)
    assert (folder / "precious").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_an_ordinary_user_starts_one_without_help(folder):
    shutil.chown(folder, "nobody")
    url = run("start", folder / "pg", "--volatile", user="nobody").stdout.strip()
    assert psql(url, "SELECT current_user") == "affinity\0"
    run("remove", folder / "pg", user="nobody")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root meets folders that the server's user cannot enter")
def test_root_may_keep_it_where_the_server_cannot_look(folder):
    folder.chmod(0o700)
    url = run("start", folder / "pg", "--volatile").stdout.strip()
    data = pathlib.Path((folder / "pg" / "where").read_text().splitlines()[0])
    assert not data.is_relative_to(folder)
    assert psql(url, "SELECT 1") == "1\0"
    run("remove", folder / "pg")
    assert not data.parent.exists()
