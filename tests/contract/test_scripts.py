# SPDX-License-Identifier: Apache-2.0
"""Scripts explain themselves, refuse nonsense, and keep to the forms that others rely on."""

import os
import re
import subprocess

import pytest

SCRIPTS = [
    "test.sh",
    "demo.sh",
    "bench/run",
    "tests/slow/run",
    "scripts/packages.sh",
    "tests/support/private_postgres.sh",
]


def run(root, *command, env=None):
    return subprocess.run(
        [str(root / command[0]), *map(str, command[1:])],
        cwd=root,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_explains_itself_and_refuses_unknown_options(root, script):
    helped = run(root, script, "--help")
    assert helped.returncode == 0 and helped.stdout.startswith("Usage: ")
    wrong = run(root, script, "--nonsense")
    assert wrong.returncode == 2 and "Usage: " in wrong.stderr


def test_the_list_of_packages_can_be_read(root):
    for section in ["build", "run", "database", "demo", "test", "bench"]:
        names = run(root, "scripts/packages.sh", "list", section).stdout.split()
        assert names and all(re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", name) for name in names), section
    assert run(root, "scripts/packages.sh", "list", "nonsense").returncode == 2


def test_nothing_is_installed_when_nothing_is_missing(root, tmp_path):
    """apt-get is replaced by a program that fails, so that a call would be seen."""
    (tmp_path / "apt-get").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "apt-get").chmod(0o755)
    result = run(
        root, "scripts/packages.sh", "install", "build", "test", env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.fixture
def measured(root, tmp_path):
    """Runs a script of the given text as tests/slow/run would."""

    def start(text):
        (tmp_path / "trial.sh").write_text(text)
        return run(root, "scripts/measured.sh", tmp_path, "run", "trial", env={"AFF_BUILD": str(tmp_path)})

    return start


def test_a_met_goal_is_a_success(measured):
    result = measured("echo figures\necho 'trial: 0.71 (goal >= 0.60) met'")
    assert result.returncode == 0
    assert result.stdout == "figures\ntrial: 0.71 (goal >= 0.60) met\n"


@pytest.mark.parametrize(
    "text",
    [
        "echo 'trial: 0.51 (goal >= 0.60) missed'; exit 1",
        "echo 'trial: 0.51 (goal >= 0.60) missed'",
        "echo 'trial: 0.71 (goal >= 0.60) met'; exit 3",
        "echo 'other: 0.71 (goal >= 0.60) met'",
        "echo 'trial: 0.71 (goal >= 0.60) met'; echo more",
        "echo 'trial: 0.71 met'",
        "exit 0",
    ],
)
def test_anything_else_is_a_failure(measured, text):
    assert measured(text).returncode == 1


def test_there_is_something_to_measure(root):
    assert "fuzz" in run(root, "tests/slow/run", "--list").stdout.split()
    assert run(root, "bench/run", "nonsense").returncode == 2


def test_the_demo_refuses_what_makes_no_sense(root, tmp_path):
    state = {"DEMO_DIR": str(tmp_path)}
    assert "no folder" in run(root, "demo.sh", "--data", "/nowhere", env=state).stderr
    assert "--port wants a number" in run(root, "demo.sh", "--port", "http", env=state).stderr
    assert "not running" in run(root, "demo.sh", "--env", env=state).stderr
    assert run(root, "demo.sh", "--stop", env=state).returncode == 0
