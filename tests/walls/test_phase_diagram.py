"""The page on internals draws the phases of a tool call as the table has them."""

import re

import pytest

from spine_temporal.journal.tool_calls import TRANSITIONS, Event, Phase
from tests.walls.draw_phases import BEGIN, END, PAGE, drawn, parts

_ARROW = re.compile(r"    (\w+) --> (\w+): (.+)")
_ROW = re.compile(r"^\| (\w+) \|", re.MULTILINE)


def test_page_has_the_diagram_that_the_table_gives() -> None:
    _, diagram, _ = parts(PAGE.read_text())

    assert diagram == drawn(), "run `python -m tests.walls.draw_phases`"


def test_diagram_holds_every_transition_and_no_other() -> None:
    read = {
        (Phase(phase), Event(event)): Phase(to)
        for phase, to, events in _ARROW.findall(drawn())
        for event in events.split(", ")
    }

    assert read == TRANSITIONS


def test_page_explains_every_phase() -> None:
    _, _, after = parts(PAGE.read_text())

    assert sorted(set(_ROW.findall(after.partition("\n## ")[0])) - {"phase"}) == sorted(Phase)


def test_another_table_gives_another_diagram() -> None:
    assert drawn({(Phase.PLANNED, Event.BEGIN): Phase.RUNNING}) != drawn()


@pytest.mark.parametrize("page", ["", f"{BEGIN}\n", f"{END}\n{BEGIN}\n", f"{BEGIN}{BEGIN}{END}"])
def test_page_without_its_markers_is_refused(page: str) -> None:
    with pytest.raises(ValueError):
        parts(page)
