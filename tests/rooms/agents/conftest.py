"""Projects on disk, which leave no trace in the process that loads them."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

type Project = Callable[..., Path]

_NAMES = {"agents", "tools", "house"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Writes a project: `project({"agents/a.py": "..."})` gives its folder."""

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return tmp_path

    return write


@pytest.fixture(autouse=True)
def process_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] in _NAMES]:
        del sys.modules[name]
