"""One file, one sentence, at most three hundred lines."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    file.relative_to(ROOT) for folder in ("spine_temporal", "workers") for file in (ROOT / folder).rglob("*.py")
)
ROOMS = sorted({file.parent for file in FILES if file.parts[0] == "spine_temporal"})


@pytest.mark.parametrize("file", FILES, ids=str)
def test_file_says_in_one_sentence_what_it_is(file: Path) -> None:
    said = ast.get_docstring(ast.parse((ROOT / file).read_text()))

    assert said, "it has no docstring"
    sentence = said.partition("\n")[0]
    assert len(sentence) < 90


@pytest.mark.parametrize("file", FILES, ids=str)
def test_file_is_short_enough_to_be_read(file: Path) -> None:
    assert len((ROOT / file).read_text().splitlines()) <= 300


@pytest.mark.parametrize("room", ROOMS, ids=str)
def test_folder_is_a_package(room: Path) -> None:
    assert (ROOT / room / "__init__.py").exists(), "the walls do not see it"
