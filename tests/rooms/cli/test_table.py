"""Rows in columns, on terminals of any width."""

import pytest
from rich.console import Console
from rich.text import Text

from spine_temporal.cli import table as module
from spine_temporal.cli.inbox import _TABLE as INBOX
from spine_temporal.cli.runs import _TABLE as LIST
from spine_temporal.cli.table import Table
from spine_temporal.cli.terminal import print_facts, stdout

_ID = "4eeced0cb21b4e1f9506336bc4bb4254"
_RUN = [_ID, "cashier", "failed, open", "12 min ago", "3 min 05 s", "1,204", "pay the invoice of acme " * 9]
_APPROVAL = [f"{_ID}/1.0", "boss/cashier", "12.0", "12 min ago", "in 59 min", "pay(amount=5, to='acme') " * 9]


def printed(table: Table, row: list[str], width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    console = Console(width=width, record=True, force_terminal=True, color_system=None, highlight=False)
    monkeypatch.setattr(module, "stdout", lambda: console)
    with console.capture() as capture:
        table.print([[Text(cell) for cell in row]])
    return capture.get().splitlines()


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_no_line_of_a_list_is_wider_than_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(LIST, _RUN, width, monkeypatch)

    assert max(map(len, lines)) <= width
    assert _ID in lines[1]
    assert "failed, open" in lines[1]


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_what_is_to_be_decided_stands_below_its_call_where_there_is_no_room_beside_it(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = printed(INBOX, _APPROVAL, width, monkeypatch)

    assert max(map(len, lines)) <= width
    assert lines[1].startswith(f"{_ID}/1.0")
    assert "12.0" in lines[1]
    assert "pay(amount=5, to='acme')" in (lines[1] if width > 120 else lines[2])


def test_what_is_never_cut_is_longer_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(headings=("a",), last="b", kept=("a",), widest=None)

    assert printed(table, ["x", "y" * 100], 60, monkeypatch)[1] == f"x  {'y' * 100}"


def test_a_cell_is_one_line_whatever_its_id_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(headings=("a",), last="b", kept=("a",), widest=None)

    assert printed(table, ["x\ny\tz", "1\n2"], 60, monkeypatch) == ["a      b", "x y z  1 2"]


def test_no_fact_commands_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    stdout.cache_clear()
    print_facts([("run", Text("\x1b[31mred", "bold")), ("agent", "\x1b]0;x\x07")])
    stdout.cache_clear()

    assert "\x1b" not in capsys.readouterr().out
