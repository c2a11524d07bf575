# SPDX-License-Identifier: Apache-2.0
"""A private PostgreSQL and its databases, spoken to through psql."""

import os
import pathlib
import subprocess

from .programs import environment

SCRIPT = pathlib.Path(__file__).resolve().parent / "private_postgres.sh"
FIELD_END = "\x1f"


def psql(url, text, *arguments):
    """Runs SQL text, which may hold several statements, and returns what psql prints."""
    result = subprocess.run(
        ["psql", url, "-XqAt", "-F", FIELD_END, "--record-separator-zero", "-v", "ON_ERROR_STOP=1", *arguments],
        env=environment(),
        input=text,
        capture_output=True,
        encoding="utf-8",
    )
    if result.returncode != 0:
        raise AssertionError(f"psql: {result.stderr.strip()}\nin: {text[:2000]}")
    return result.stdout


class PrivatePostgres:
    """A cluster in `folder`. It is stopped and removed when this process ends, however it ends."""

    def __init__(self, folder):
        self.folder = folder
        self.created = 0

    def run(self, action, *arguments):
        result = subprocess.run(
            [str(SCRIPT), action, str(self.folder), *arguments], capture_output=True, encoding="utf-8"
        )
        if result.returncode != 0:
            raise RuntimeError(result.stderr.strip())
        return result.stdout.strip()

    def start(self):
        self.run("start", "--volatile", "--while", str(os.getpid()))

    def stop(self):
        """Stops the server as a crash of its machine would look to a client; start() brings it back."""
        self.run("stop")

    def remove(self):
        self.run("remove")

    def url(self, database="postgres"):
        return self.run("url", database)

    def create(self, name=None, template="template0"):
        """Creates a database and returns its name."""
        if name is None:
            self.created += 1
            name = f"affinity_{self.created}"
        psql(self.url(), f'CREATE DATABASE "{name}" TEMPLATE "{template}" ENCODING \'UTF8\'')
        return name

    def drop(self, name):
        psql(self.url(), f'DROP DATABASE "{name}" WITH (FORCE)')


class Database:
    """One database of a cluster."""

    def __init__(self, postgres, name):
        self.postgres = postgres
        self.name = name
        self.url = postgres.url(name)

    def sql(self, text):
        """Runs statements; the rows of all of them as tuples of text, a null as empty text."""
        return [tuple(row.split(FIELD_END)) for row in psql(self.url, text).split("\0")[:-1]]

    def number(self, text):
        """The one whole number that a statement answers."""
        return int(self.sql(text)[0][0])
