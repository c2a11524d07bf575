# SPDX-License-Identifier: Apache-2.0
"""The rules of the house that a compiler cannot hold (ARCHITECTURE.md, CONTRIBUTING.md)."""

import re
import subprocess

import pytest

LAYERS = ["core", "config", "json", "sql", "server", "cli"]
SEES = {
    "core": {"core"},
    "config": {"config", "core"},
    "json": {"json", "core"},
    "sql": {"sql", "core"},
    "server": {"server", "sql", "json", "config", "core"},
    "cli": {"cli", "sql", "json", "config", "core"},
}
FOREIGN = {  # a library's header may be included in these folders only
    "microhttpd": {"server"},
    "jansson": {"json", "server"},
    "libpq": {"sql"},
    "uv.h": {"server"},
    "ini.h": {"config", "cli"},
    "urcu": {"core", "server"},
    "zstd": {"cli"},
    "zlib": {"cli"},
}
FILE_LINES = 600
SHORT_FILE_LINES = 500
LONG_FILES = 3  # files between the two bounds that are bearable before something has to be split


def tracked(root, *patterns):
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", *patterns],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(root / line for line in listing.stdout.splitlines() if (root / line).is_file())


def read(path):
    return path.read_text(encoding="utf-8")


def sources(root, *folders):
    folders = folders or [*LAYERS, "tests", "bench"]
    return [path for path in tracked(root, "*.c", "*.h", "*.def") if path.relative_to(root).parts[0] in folders]


def includes(path):
    return re.findall(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', read(path), re.M)


def offenders(root, paths, wrong):
    return [f"{path.relative_to(root)}: {found}" for path in paths for found in wrong(path)]


def test_the_lists_of_this_test_find_the_sources(root):
    for layer in LAYERS:
        assert sources(root, layer), layer


@pytest.mark.parametrize("layer", LAYERS)
def test_a_library_includes_only_what_it_may_see(root, layer):
    def wrong(path):
        ours = [name for name in includes(path) if name.split("/")[0] in LAYERS]
        return [name for name in ours if name.split("/")[0] not in SEES[layer]]

    assert offenders(root, sources(root, layer), wrong) == []


@pytest.mark.parametrize("layer", LAYERS)
def test_foreign_libraries_stay_in_their_folders(root, layer):
    def wrong(path):
        return [
            name
            for name in includes(path)
            for library, folders in FOREIGN.items()
            if name.startswith(library) and layer not in folders
        ]

    assert offenders(root, sources(root, layer), wrong) == []


def test_own_headers_are_included_by_their_path_from_the_root(root):
    def wrong(path):
        quoted = re.findall(r'^\s*#\s*include\s+"([^"]+)"', read(path), re.M)
        return [name for name in quoted if "/" not in name or name.startswith(".")]

    assert offenders(root, sources(root, *LAYERS), wrong) == []


def test_the_build_sees_what_this_test_allows(root):
    text = read(root / "CMakeLists.txt")
    for layer in LAYERS:
        row = re.search(rf"^aff_library\({layer}\b([^)]*)\)", text, re.M).group(1)
        sees = re.search(r"SEES ([a-z ]+?)(?: LINKS|$)", row)
        assert set(sees.group(1).split() if sees else []) | {layer} == SEES[layer], layer


@pytest.mark.parametrize("layer", ["core", "config", "json", "sql"])
def test_libraries_below_the_programs_neither_print_nor_exit(root, layer):
    pattern = re.compile(r"\b(?:printf|puts|putchar|perror|syslog|exit|_exit|abort|fprintf\((?:stderr|stdout))\b")

    def wrong(path):
        return pattern.findall(re.sub(r"format\(printf", "", without_comments(read(path))))

    assert offenders(root, sources(root, layer), wrong) == []


def test_files_are_short(root):
    lengths = {str(path.relative_to(root)): len(read(path).splitlines()) for path in sources(root)}
    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES} == {}
    long_files = {name: lines for name, lines in lengths.items() if lines > SHORT_FILE_LINES}
    assert len(long_files) <= LONG_FILES, long_files


def test_every_source_begins_with_its_licence(root):
    paths = sources(root) + tracked(root, "*.py", "*.sh", "*.sql", ".ci/run", "bench/run", "tests/slow/run")
    missing = [
        str(path.relative_to(root))
        for path in paths
        if path.stat().st_size > 0
        and "SPDX-License-Identifier: Apache-2.0" not in "\n".join(read(path).splitlines()[:2])
    ]
    assert missing == []


def test_every_header_can_be_included_twice(root):
    headers = [path for path in sources(root) if path.suffix == ".h"]
    assert [str(path.relative_to(root)) for path in headers if "#pragma once\n" not in read(path)] == []


def test_nothing_is_left_for_later(root):
    # Put together here so that this file does not find itself.
    words = ["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK", "not imple" + "mented", "not built" + " yet", "place" + "holder"]
    pattern = re.compile(r"\b(?:" + "|".join(words) + r")\b")
    mktemp = re.compile(r"X{6,}")

    def wrong(path):
        return pattern.findall(mktemp.sub("", read(path)))

    paths = tracked(root, "*.c", "*.h", "*.def", "*.py", "*.sh", "*.sql", "*.md", "*.yaml", "*.cmake", "*.txt")
    assert offenders(root, paths, wrong) == []


def test_no_file_names_a_machine_s_own_paths(root):
    pattern = re.compile(r"/(?:home|root|work|Users)/[\w.-]+")
    paths = tracked(root, "*.c", "*.h", "*.py", "*.sh", "*.md", "*.yaml", "*.cmake", "*.txt", "*.json")
    assert offenders(root, paths, lambda path: pattern.findall(read(path))) == []


def test_no_control_flow_hides_in_macros(root):
    def wrong(path):
        macros = re.findall(r"^[ \t]*#[ \t]*define\b(?:[^\n]*\\\n)*[^\n]*", read(path), re.M)
        return [macro.split("(")[0] for macro in macros if re.search(r"\b(?:goto|break|continue)\b", macro)]

    assert offenders(root, sources(root, *LAYERS), wrong) == []


def test_no_struct_hides_behind_a_typedef(root):
    def wrong(path):
        return re.findall(r"typedef\s+struct\s+aff_\w+", read(path))

    assert offenders(root, sources(root, *LAYERS), wrong) == []


def test_every_exported_name_has_the_prefix(build):
    listing = subprocess.run(
        ["nm", "--defined-only", "--extern-only", *map(str, sorted(build.glob("libaff_*.a")))],
        capture_output=True,
        text=True,
        check=True,
    )
    names = re.findall(r"^[0-9a-f]+ [A-Z] (\w+)$", listing.stdout, re.M)
    assert len(names) > 50
    assert [name for name in names if not name.startswith(("aff_", "_", "__"))] == []


def without_comments(text):
    """C text without comments and without the contents of strings."""
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', " ", text, flags=re.S)
