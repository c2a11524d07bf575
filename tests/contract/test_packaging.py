# SPDX-License-Identifier: Apache-2.0
"""What can be checked of image, compose file and scripts without a container engine."""

import fnmatch
import re
import subprocess

import pytest
import yaml

SECTIONS = ["build", "run", "database", "demo", "test", "bench"]


def steps(root):
    """The instructions of the Dockerfile as (name, rest), continued lines joined."""
    text = re.sub(r"\\\n", " ", (root / "Dockerfile").read_text())
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def copied(root):
    """Sources that the Dockerfile takes from the project."""
    found = []
    for name, rest in steps(root):
        if name == "COPY" and not rest.startswith("--from"):
            found += rest.split()[:-1]
    return found


def compose(root):
    return yaml.safe_load((root / "docker/compose.yaml").read_text())


def packages(root, action, *sections):
    result = subprocess.run(
        [root / "scripts/packages.sh", action, *sections], capture_output=True, text=True, check=True
    )
    return result.stdout.split()


def test_every_source_of_a_copy_exists(root):
    assert len(copied(root)) > 8
    assert [source for source in copied(root) if not (root / source).exists()] == []


def test_everything_that_the_build_reads_is_copied(root):
    text = (root / "CMakeLists.txt").read_text()
    folders = set(re.findall(r"^aff_library\((\w+)", text, re.M)) | {"cmake"}
    assert folders <= {source.rstrip("/") for source in copied(root)}


def test_what_is_copied_reaches_the_engine(root):
    lines = (root / ".dockerignore").read_text().splitlines()
    kept = [line[1:] for line in lines if line.startswith("!")]
    assert "*" in lines
    for source in copied(root):
        path = source.rstrip("/")
        assert any(fnmatch.fnmatch(path, name) or path.startswith(name + "/") for name in kept), source


def test_image_scripts_and_demo_install_from_one_list(root):
    dockerfile = (root / "Dockerfile").read_text()
    assert dockerfile.count("packages.sh install") == 2
    assert "apt-get install" not in dockerfile
    for script in ["test.sh", "demo.sh", "scripts/measured.sh"]:
        text = (root / script).read_text()
        assert "scripts/packages.sh install" in text and "apt-get" not in text, script


def test_the_list_of_packages_can_be_read(root):
    for section in SECTIONS:
        names = packages(root, "list", section)
        assert names and all(re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", name) for name in names), section


def test_every_library_that_is_linked_has_its_packages(root):
    """Each -dev package of the build has its shared library among those of the run."""
    build, run = packages(root, "list", "build"), packages(root, "list", "run")
    for name in build:
        if name.endswith("-dev") and name != "libc6-dev":
            stem = re.sub(r"[0-9]*g?-dev$", "", name)
            assert any(library.startswith(stem) for library in run), name


def test_the_image_does_not_run_as_root(root):
    users = [rest for name, rest in steps(root) if name == "USER"]
    assert users and users[-1] not in {"root", "0"}
    stages = [number for number, (name, _) in enumerate(steps(root)) if name == "FROM"]
    assert len(stages) == 2
    assert max(number for number, (name, _) in enumerate(steps(root)) if name == "USER") > stages[-1]


def test_the_service_waits_for_the_schema_and_the_schema_for_the_database(root):
    services = compose(root)["services"]
    assert services["affinityd"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert services["migrate"]["depends_on"]["database"]["condition"] == "service_healthy"
    assert "healthcheck" in services["database"]
    assert services["migrate"]["entrypoint"] + services["migrate"]["command"] == ["affinityctl", "migrate", "up"]


def test_data_outlives_the_container(root):
    document = compose(root)
    mounts = [volume.split(":")[0] for volume in document["services"]["database"]["volumes"]]
    assert set(mounts) <= set(document["volumes"])


def test_ports_are_open_on_this_machine_only(root):
    for service in compose(root)["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize("path", ["Dockerfile", "docker/compose.yaml", "config/affinityd.conf.example"])
def test_no_secret_stands_in_a_file(root, path):
    text = (root / path).read_text()
    values = re.findall(r"(?i)[\w.]*(?:password|secret|token|api_?key)[\w.]*\s*[:=]\s*(\S+)", text)
    assert [value for value in values if not value.startswith(("${", "..."))] == []
    assert not re.search(r"://[^/\s:]+:[^/\s@]+@", text)


def test_scripts_explain_themselves(root):
    scripts = ["test.sh", "demo.sh", "bench/run", "tests/slow/run", "scripts/packages.sh"]
    for script in scripts + ["tests/support/private_postgres.sh"]:
        result = subprocess.run([root / script, "--help"], capture_output=True, text=True, cwd=root)
        assert result.returncode == 0 and result.stdout.startswith("Usage: "), script


def test_scripts_refuse_unknown_options(root):
    for script in ["test.sh", "demo.sh", "bench/run", "tests/slow/run"]:
        result = subprocess.run([root / script, "--nonsense"], capture_output=True, text=True, cwd=root)
        assert result.returncode == 2 and "Usage: " in result.stderr, script
