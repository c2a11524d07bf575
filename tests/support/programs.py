# SPDX-License-Identifier: Apache-2.0
"""Runs our programs with an environment that holds nothing of the machine's own PostgreSQL or configuration."""

import os
import subprocess

FOREIGN = ("AFFINITY_", "PG", "DATABASE_URL")


def url_of(database):
    """The URL of a Database, or the text itself."""
    return database if database is None or isinstance(database, str) else database.url


def environment(database=None, extra=None):
    """The present environment without foreign settings; without a database, none can be reached by accident."""
    result = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    result["LC_ALL"] = "C.UTF-8"
    result["AFFINITY_TUNE_AFTER_REBUILD"] = "false"  # it takes long; tests of it set it
    if database is None:
        result["PGHOST"] = "/nonexistent"
    else:
        result["AFFINITY_DATABASE_URL"] = url_of(database)
    result.update(extra or {})
    return result


def run_ctl(build, *arguments, database=None, check=True, input=None, env=None, timeout=300):
    """Runs affinityctl to its end; with `check`, an exit status other than 0 fails with what it printed."""
    command = [str(build / "affinityctl"), *map(str, arguments)]
    result = subprocess.run(
        command,
        env=environment(database, env),
        input=input,
        stdin=subprocess.DEVNULL if input is None else None,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
    )
    if check and result.returncode != 0:
        raise AssertionError(
            f"{' '.join(command)}: exit status {result.returncode}\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}"
        )
    assert "Sanitizer" not in result.stderr, result.stderr
    return result
