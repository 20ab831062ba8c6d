"""The page on settings and the code name the same variables."""

import re
from pathlib import Path

from tests.deploy.repository import ROOT

NAME = re.compile(r"SPINE_TEMPORAL_[A-Z][A-Z_]*[A-Z]")
PREFIXED = re.compile(r'_setting\("([A-Z_]+)"\)')
PAGE = ROOT / "spine_temporal" / "docs" / "settings.md"
CODEC_SERVER = ROOT / "spine_temporal" / "codec_server" / "settings.py"


def in_code() -> set[str]:
    """The names in the sources; the codec server's settings put theirs together."""
    files = [file for folder in ("spine_temporal", "workers", "deploy") for file in Path(ROOT, folder).rglob("*.py")]
    named = {name for file in files for name in NAME.findall(file.read_text())}
    together = {f"SPINE_TEMPORAL_CODEC_{name}" for name in PREFIXED.findall(CODEC_SERVER.read_text())}
    return (named | together) - {"SPINE_TEMPORAL_CODEC"}


def in_table() -> list[str]:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `SPINE_TEMPORAL_")]
    return [name for row in rows for name in NAME.findall(row.split("|")[1])]


def test_every_variable_of_ours_is_in_the_table_and_every_one_in_the_table_is_ours() -> None:
    assert sorted(in_table()) == sorted(in_code())


def test_no_variable_is_named_anywhere_that_does_not_exist() -> None:
    pages = [*ROOT.glob("*.md"), *Path(ROOT, "spine_temporal").rglob("*.md"), *Path(ROOT, "deploy").rglob("*")]
    texts = [page.read_text() for page in pages if page.is_file() and page.suffix in (".md", ".yaml", ".yml", ".env")]

    assert {name for text in texts for name in NAME.findall(text)} <= in_code()
