"""The demo's tools show a folder, and nothing outside it."""

import os
from pathlib import Path
from typing import Any

import pytest
from spine_core import Agent
from spine_core.errors import ToolError
from spine_core.testing import ScriptedProvider, calls, text

from spine_temporal.demo.folder import MAX_FILE_BYTES, Folder
from spine_temporal.demo.tools import reading_tools


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for path, content in {
        "b.py": "import json\n\n\ndef load(text):\n    return json.loads(text)\n",
        "a/one.py": "x = 1\n",
        "a/tests/test_one.py": "x = 1\n",
        "site-packages/lib.py": "x = 1\n",
        ".hidden/secret.py": "x = 1\n",
        "README.md": "# Title\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    (tmp_path / "outside.py").write_text("password = 1\n")
    return folder


async def use(root: Path, name: str, **arguments: Any) -> str:
    tools = {tool.name: tool for tool in reading_tools(Folder(root))}
    return str(await tools[name].call(arguments))


async def test_files_are_listed_sorted_without_tests_or_installed_packages(root: Path) -> None:
    assert (await use(root, "list_files")).splitlines() == ["2 files match **/*.py", "a/one.py", "b.py"]
    assert (await use(root, "list_files", pattern="*.md")).splitlines() == ["1 files match *.md", "README.md"]
    assert (await use(root, "list_files", pattern="a/**")).splitlines() == ["1 files match a/**", "a/one.py"]


async def test_listing_says_how_many_files_it_left_out(root: Path) -> None:
    assert (await use(root, "list_files", pattern="**/*", limit=1)).splitlines() == [
        "3 files match **/*",
        "README.md",
        "[left out: 2 more files]",
    ]


async def test_search_shows_path_line_and_text(root: Path) -> None:
    assert (await use(root, "grep", pattern=r"json\.loads\(")).splitlines() == [
        "1 lines match in 1 of 2 files",
        "b.py:5:    return json.loads(text)",
    ]


async def test_search_shows_only_the_first_lines_of_each_file_and_counts_the_rest(root: Path) -> None:
    assert (await use(root, "grep", pattern="json", per_file=1)).splitlines() == [
        "2 lines match in 1 of 2 files",
        "b.py:1:import json",
        "[left out: 1 more lines; narrow the pattern, the glob or per_file]",
    ]


async def test_reading_numbers_the_lines_and_says_what_follows(root: Path) -> None:
    assert (await use(root, "read_file", path="b.py", start_line=4, lines=1)).splitlines() == [
        "b.py, lines 4-4 of 5",
        "    4| def load(text):",
        "[left out: lines 5-5]",
    ]


async def test_test_file_is_read_when_it_is_asked_for_by_name(root: Path) -> None:
    assert "x = 1" in await use(root, "read_file", path="a/tests/test_one.py")


@pytest.mark.parametrize("path", ["../outside.py", "a/../../outside.py", "/etc/passwd", "link.py", "linked/outside.py"])
async def test_path_that_leaves_the_folder_is_refused(root: Path, path: str) -> None:
    (root / "link.py").symlink_to(root.parent / "outside.py")
    (root / "linked").symlink_to(root.parent, target_is_directory=True)

    with pytest.raises(ToolError, match="outside the folder"):
        await use(root, "read_file", path=path)


async def test_link_that_leaves_the_folder_is_neither_listed_nor_searched(root: Path) -> None:
    (root / "link.py").symlink_to(root.parent / "outside.py")
    (root / "linked").symlink_to(root.parent, target_is_directory=True)

    assert "link" not in await use(root, "list_files", pattern="**/*")
    assert (await use(root, "grep", pattern="password")).startswith("0 lines match")


@pytest.mark.parametrize("glob", ["../*.py", "/etc/*", "a//b", ""])
async def test_glob_that_leaves_the_folder_is_refused(root: Path, glob: str) -> None:
    with pytest.raises(ToolError, match="must be relative to the folder"):
        await use(root, "list_files", pattern=glob)


@pytest.mark.parametrize("path", ["missing.py", "a", "b.py/inside", "nul\0byte", "long" * 2_000, "pipe"])
async def test_path_that_is_no_file_is_refused_by_its_name(root: Path, path: str) -> None:
    os.mkfifo(root / "pipe")

    with pytest.raises(ToolError, match=r"there is no file|not a usable path"):
        await use(root, "read_file", path=path)


async def test_binary_and_huge_files_are_refused_and_a_search_counts_them(root: Path) -> None:
    (root / "binary.py").write_bytes(b"x = 1\0\0")
    (root / "huge.py").write_bytes(b"x = 1\n" * (MAX_FILE_BYTES // 6 + 1))

    with pytest.raises(ToolError, match="binary"):
        await use(root, "read_file", path="binary.py")
    with pytest.raises(ToolError, match=f"more than the {MAX_FILE_BYTES:,}"):
        await use(root, "read_file", path="huge.py")
    assert "[left out: 2 files that are binary, too large or not readable]" in await use(root, "grep", pattern="x")


async def test_bytes_that_are_not_utf8_are_shown_as_replacement_characters(root: Path) -> None:
    (root / "latin.py").write_bytes("name = 'Zoë'\n".encode("latin-1"))

    assert "name = 'Zo\ufffd'" in await use(root, "read_file", path="latin.py")


async def test_form_feed_does_not_shift_the_line_numbers(root: Path) -> None:
    (root / "feed.py").write_text("a = 1\n\f\nb = 2\r\nc = 3")

    assert "feed.py:3:b = 2" in (await use(root, "grep", pattern="^b = 2$")).splitlines()
    assert "    4| c = 3" in (await use(root, "read_file", path="feed.py")).splitlines()


async def test_no_result_is_longer_than_16_kb(root: Path) -> None:
    (root / "wide.py").write_text("é" * 400_000)
    for number in range(400):
        (root / f"module_{number:03}_with_a_rather_long_name_so_that_the_list_is_long.py").write_text(
            "y = 1  # é\n" * 90
        )

    listed = await use(root, "list_files", limit=10_000)
    found = await use(root, "grep", pattern="é", per_file=100)
    read = await use(root, "read_file", path="wide.py")

    assert all(len(result.encode()) <= 16_384 for result in (listed, found, read))
    assert "more files]" in listed
    assert "more lines;" in found
    assert "more characters]" in read


async def test_broken_regular_expression_is_refused_with_its_fault(root: Path) -> None:
    with pytest.raises(ToolError, match=r"'\(' is not a Python regular expression: missing \)"):
        await use(root, "grep", pattern="(")


async def test_start_past_the_end_is_refused_with_the_length(root: Path) -> None:
    with pytest.raises(ToolError, match=r"'b\.py' has 5 lines; start_line=9 is not one of them"):
        await use(root, "read_file", path="b.py", start_line=9)


def test_folder_that_is_none_is_refused_at_once(root: Path) -> None:
    with pytest.raises(NotADirectoryError, match="is no folder"):
        Folder(root / "b.py")


async def test_refusal_is_told_to_the_model(root: Path) -> None:
    model = ScriptedProvider(calls(("read_file", {"path": "../outside.py"})), text("I may not."))

    result = await Agent(model, tools=reading_tools(Folder(root))).run("read it")

    told = next(message.content for message in result.state.messages if message.role == "tool")
    assert told is not None
    assert "'../outside.py' is outside the folder; paths are relative to it" in told
    assert result.answer == "I may not."
