# SPDX-License-Identifier: Apache-2.0
"""The texts about the configuration are what the list of keys makes, and both programs read the same list."""

import re

import pytest


@pytest.mark.parametrize(
    "action, path", [("example", "config/affinityd.conf.example"), ("docs", "docs/configuration.md")]
)
def test_the_file_in_the_project_is_what_the_program_prints(root, ctl, action, path):
    printed = ctl("config", action).stdout
    assert (root / path).read_text(encoding="utf-8") == printed, f"run: affinityctl config {action} >{path}"


def test_the_example_with_every_key_taken_in_is_valid_and_changes_nothing(ctl, tmp_path):
    file = tmp_path / "all.conf"
    example = ctl("config", "example").stdout
    file.write_text(re.sub(r"^#(\w+ =)", r"\1", example, flags=re.M), encoding="utf-8")
    assert ctl("config", "show", "--config", file).stdout == ctl("config", "show").stdout


def test_what_is_shown_can_be_read_back(ctl, tmp_path):
    file = tmp_path / "shown.conf"
    shown = ctl("config", "show", "--set", "http.port=81", "--set", "learn.half_life_days=30.25").stdout
    file.write_text(shown, encoding="utf-8")
    assert "port = 81\n" in shown and "half_life_days = 30.25\n" in shown
    assert ctl("config", "show", "--config", file).stdout == shown


def test_flags_win_over_environment_and_environment_over_file(ctl, tmp_path):
    file = tmp_path / "low.conf"
    file.write_text("[http]\nport = 1\nworkers = 1\nconnections = 11\n", encoding="utf-8")
    shown = ctl(
        "config",
        "show",
        "--set",
        "http.port=3",
        env={"AFFINITY_CONFIG": str(file), "AFFINITY_HTTP_PORT": "2", "AFFINITY_HTTP_WORKERS": "2"},
    ).stdout
    assert "port = 3\n" in shown and "workers = 2\n" in shown and "connections = 11\n" in shown


def test_a_secret_is_shown_nowhere(ctl):
    arguments = ("--database", "postgresql://a:hunter2@localhost/x")
    assert "hunter2" not in ctl("config", "show", *arguments).stdout
    wrong = ctl("config", "check", *arguments, "--set", "database.url=hunter2\x01", check=False)
    assert wrong.returncode == 0 or "hunter2" not in wrong.stderr


@pytest.mark.parametrize(
    "arguments, says",
    [
        (("--set", "http.prot=1"), "command line: there is no key 'http.prot'; did you mean 'http.port'?"),
        (("--set", "log.level=loud"), "log.level must be error, warning, info or debug, not 'loud'"),
        (("--config", "/nowhere.conf"), "/nowhere.conf: cannot be read: No such file or directory"),
    ],
)
def test_a_wrong_configuration_ends_with_status_78_and_one_line(ctl, arguments, says):
    result = ctl("config", "check", *arguments, check=False)
    assert result.returncode == 78
    assert result.stderr == f"affinityctl config: {says}\n"


def test_every_key_of_the_list_is_on_the_page_once(root, ctl):
    listed = re.findall(r'^(?:TEXT|WHOLE|REAL|FLAG)\(\w+, "([\w.]+)"', (root / "config/config_keys.def").read_text(), re.M)
    paged = re.findall(r"^\| `([\w.]+)` \|", ctl("config", "docs").stdout, re.M)
    assert len(listed) > 30
    assert paged == listed


def test_the_field_of_a_key_is_its_name_with_an_underscore(root):
    rows = re.findall(r'^(?:TEXT|WHOLE|REAL|FLAG)\((\w+), "([\w.]+)"', (root / "config/config_keys.def").read_text(), re.M)
    assert [(field, key) for field, key in rows if field != key.replace(".", "_")] == []


def test_every_command_has_help_with_an_example(ctl):
    commands = re.findall(r"^  (\w+) +\w", ctl("--help").stdout, re.M)
    assert {"migrate", "import", "generate", "rebuild", "recommend", "config"} <= set(commands)
    for command in commands:
        text = ctl(command, "--help").stdout
        assert text.startswith(f"Usage: affinityctl {command}"), command
        assert "Example" in text and f"affinityctl {command}" in text.split("Example", 1)[1], command
        assert max(map(len, text.splitlines())) <= 120, command
