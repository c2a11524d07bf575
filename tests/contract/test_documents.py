# SPDX-License-Identifier: Apache-2.0
"""What the documents point to is there."""

import re


def pages(root):
    return [*root.glob("*.md"), *root.glob("docs/**/*.md")]


def test_every_link_within_the_project_leads_somewhere(root):
    broken = []
    for page in pages(root):
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(root)}: {target}")
    assert broken == []


def test_every_folder_stands_in_the_table_of_the_readme(root):
    table = (root / "README.md").read_text(encoding="utf-8")
    folders = {path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")}
    folders -= {"build", "cmake", "shared"}
    assert [name for name in sorted(folders) if f"`{name}/`" not in table] == []


def test_every_decision_is_in_the_list_of_decisions(root):
    folder = root / "docs" / "adr"
    listed = re.findall(r"\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(path.name for path in folder.glob("[0-9]*.md"))


def test_every_command_and_script_that_the_readme_shows_exists(root, ctl):
    text = (root / "README.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"affinityctl (\w+)", text))
    known = set(re.findall(r"^  (\w+) +\w", ctl("--help").stdout, re.M))
    assert commands and commands <= known
    for script in re.findall(r"(?<![\w/])(?:\./)((?:demo|test)\.sh)", text):
        assert (root / script).exists()
