"""The workflow's own modules are executed for every run, and read once."""

import sys
from importlib.machinery import SourceFileLoader

import pytest

from spine_temporal.worker.module_code import keep_code

TURN = "spine_temporal.workflow.turn"


def executed_anew(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.delitem(sys.modules, TURN)
    return __import__(TURN, fromlist=["Turn"])


def test_a_module_is_executed_anew_from_code_that_was_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_code()
    # Whoever had imported it before has it back afterwards.
    __import__(TURN)
    monkeypatch.setitem(sys.modules, TURN, sys.modules[TURN])
    first = executed_anew(monkeypatch)
    read: list[str] = []
    get_data = SourceFileLoader.get_data

    def noting(self: SourceFileLoader, path: str) -> bytes:
        read.append(path)
        return get_data(self, path)

    monkeypatch.setattr(SourceFileLoader, "get_data", noting)

    second = executed_anew(monkeypatch)

    assert first is not second
    assert read == []
    assert vars(second)["Turn"] is not vars(first)["Turn"]
    assert vars(second)["__file__"] == vars(first)["__file__"]


def test_it_is_set_up_once_and_leaves_other_modules_alone() -> None:
    keep_code()
    before = list(sys.meta_path)
    keep_code()

    assert sys.meta_path == before
    assert sys.meta_path[0].find_spec("json", None) is None
    assert sys.meta_path[0].find_spec("spine_temporal.workflow.no_such_module", None) is None
