# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments of writes, folds, rebuilds and snapshots: nothing acknowledged is lost, nothing counted twice.
tests/slow/run crash does it more often."""

import subprocess

import pytest
from support.crash import Orders, kill_often
from support.programs import environment
from support.service import Service
from tiny_store import SQL


@pytest.mark.parametrize("beside", ["snapshots", "rebuilds"])
def test_orders_survive_kills(build, database, ctl, tmp_path, beside):
    database.sql(SQL)
    config = {}
    if beside == "snapshots":
        (tmp_path / "snapshots").mkdir()
        config = {"snapshot_directory": tmp_path / "snapshots", "snapshot_every_s": 1}

    def start():
        return Service(build, database, tmp_path / "log", config=config)

    def rebuild():
        return subprocess.Popen([str(build / "affinityctl"), "rebuild", "--quiet"], env=environment(database),
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def run_ctl(*arguments, check=True):
        return ctl(*arguments, database=database, check=check)

    workload = Orders(database, run_ctl, beside=rebuild if beside == "rebuilds" else None)
    acknowledged, lost, doubled = kill_often(start, workload, 10, 20261121)
    assert acknowledged > 0
    assert (lost, doubled) == ([], [])
