# SPDX-License-Identifier: Apache-2.0
"""What can be checked of the Dockerfile and the compose file without a container engine."""

import re
import shlex
import subprocess

import pytest
import yaml


@pytest.fixture(scope="module")
def dockerfile(root):
    text = (root / "Dockerfile").read_text()
    return re.sub(r"\\\n\s*", " ", text)


def copies(dockerfile):
    """(sources, from a stage) of each COPY."""
    for line in dockerfile.splitlines():
        if line.startswith("COPY "):
            words = shlex.split(line)[1:]
            stage = any(word.startswith("--from") for word in words)
            yield [word for word in words if not word.startswith("--")][:-1], stage


def test_every_copied_source_is_in_the_tree(dockerfile, root):
    found = 0
    for sources, from_stage in copies(dockerfile):
        for source in sources:
            if not from_stage:
                assert (root / source).exists(), f"COPY {source}"
                found += 1
    assert found >= 4


def test_packages_come_from_the_one_list(dockerfile, root):
    assert "apt-get" not in dockerfile
    sections = re.findall(r"packages\.sh install (\w+)", dockerfile)
    assert {"build", "run"} <= set(sections)
    for script in ("test.sh", "demo.sh"):
        text = (root / script).read_text()
        assert "scripts/packages.sh install" in text, script
        assert "apt-get" not in text, script
    for section in sections:
        listed = subprocess.run([root / "scripts" / "packages.sh", "list", section], capture_output=True, text=True)
        assert listed.returncode == 0 and listed.stdout.split(), section


def test_the_image_runs_as_an_unprivileged_user(dockerfile):
    last_stage = dockerfile.split("\nFROM ")[-1]
    assert re.search(r"^USER \d{4,}$", last_stage, re.MULTILINE)


def test_the_run_section_names_the_libraries_that_the_programs_need(root, build):
    """A library that the program needs and no package of the section brings would only show in the image."""
    listed = subprocess.run([root / "scripts" / "packages.sh", "list", "run"], capture_output=True, text=True, check=True)
    packages = set(listed.stdout.split())
    for program in ("affinityd", "affinityctl"):
        needed = subprocess.run(["readelf", "-d", build / program], capture_output=True, text=True, check=True).stdout
        for library in re.findall(r"\(NEEDED\).*\[(.+?)\]", needed):
            if re.match(r"(libc|libm|ld-linux|libpthread)[.-]", library):
                continue
            stem = re.match(r"lib([a-z0-9]+?)(?:-memb)?\.so", library)
            assert stem, library
            name = {"z": "zlib1g"}.get(stem.group(1), "lib" + stem.group(1))
            assert any(package.startswith(name) for package in packages), f"{program} needs {library}"


def test_compose_has_the_service_its_migration_and_a_database(root):
    compose = yaml.safe_load((root / "docker" / "compose.yaml").read_text())
    services = compose["services"]
    assert {"postgres", "migrate", "affinityd"} <= set(services)
    assert services["affinityd"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert services["affinityd"]["ports"] == ["127.0.0.1:8080:8080"]
    context = (root / "docker" / services["affinityd"]["build"]["context"]).resolve()
    assert context == root.resolve()


def test_no_password_is_written_down(root):
    services = yaml.safe_load((root / "docker" / "compose.yaml").read_text())["services"]
    values = [value for service in services.values() for value in service.get("environment", {}).values()]
    secret = [value for value in values if "postgresql://" in value or "PASSWORD" in value]
    assert secret and all("${AFFINITY_DB_PASSWORD:?" in value for value in secret)
