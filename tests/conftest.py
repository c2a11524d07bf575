# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all pytest suites.

build           folder with affinityd and affinityctl: $AFF_BUILD, else build/dev
postgres        a private PostgreSQL for the whole run: .url(name), .create(name, template), .drop(name)
empty_database  a new database: .url, .sql(text) -> rows as tuples of text
database        the same with the schema in it
ctl             runs affinityctl: ctl("migrate", "up", database=database, check=True, input=None)
service         starts affinityd: service(database, http_workers=2) -> .url .get .post .process .log() .stop()
data_dir        the public data sets; a test that wants it is skipped where they are not
"""

import os
import pathlib
import shutil
import tempfile

import pytest

from support.database import Database, PrivatePostgres
from support.programs import run_ctl
from support.service import Service

ROOT = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root():
    """The folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def build():
    folder = pathlib.Path(os.environ.get("AFF_BUILD", ROOT / "build" / "dev")).resolve()
    if not (folder / "affinityctl").exists():
        pytest.fail(f"{folder}/affinityctl is not built: cmake --preset dev && cmake --build --preset dev")
    return folder


@pytest.fixture(scope="session")
def postgres():
    folder = tempfile.mkdtemp(prefix="affinity-test-")
    cluster = PrivatePostgres(pathlib.Path(folder) / "postgres")
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template_database(postgres, build):
    """A migrated database that every `database` is a copy of."""
    database = Database(postgres, postgres.create("affinity_template"))
    run_ctl(build, "migrate", "up", database=database)
    return database


@pytest.fixture
def empty_database(postgres):
    database = Database(postgres, postgres.create())
    yield database
    postgres.drop(database.name)


@pytest.fixture
def database(postgres, template_database):
    copy = Database(postgres, postgres.create(template=template_database.name))
    yield copy
    postgres.drop(copy.name)


@pytest.fixture
def ctl(build):
    def run(*arguments, database=None, check=True, input=None, env=None, timeout=300):
        return run_ctl(build, *arguments, database=database, check=check, input=input, env=env, timeout=timeout)

    return run


@pytest.fixture
def service(build, tmp_path):
    started = []

    def start(database=None, *, arguments=(), env=None, wait="ready", timeout=30, **config):
        """`wait`: "ready" (may serve), "live" (answers at all) or None; `config`: http_workers=2 is http.workers."""
        log = tmp_path / f"affinityd-{len(started)}.log"
        one = Service(build, database, log, arguments=arguments, env=env, config=config)
        started.append(one)
        one.wait(wait, timeout)
        return one

    yield start
    for one in reversed(started):
        one.finish()


@pytest.fixture(scope="session")
def data_dir():
    folder = pathlib.Path(os.environ.get("AFFINITY_DATA", ROOT.parent / "shared" / "data")).resolve()
    if not folder.is_dir():
        pytest.skip(f"the public data sets are not in {folder} (set AFFINITY_DATA)")
    return folder
