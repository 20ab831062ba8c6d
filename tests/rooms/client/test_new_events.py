"""Whoever joins at the id of an event is told exactly the rest, wherever in a text that is."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spine_core import EventType, TraceEvent

from spine_temporal.client.live_history import Reading
from spine_temporal.client.new_events import NewEvents
from spine_temporal.client.reading_along import Identified, Written, identified
from spine_temporal.errors import BadInput
from spine_temporal.history.event_id import EventId
from spine_temporal.journal.progress import Progress

QUICK = settings(max_examples=200, deadline=None, derandomize=True)
BEHIND = 1000
"""The event that ends a step comes so far behind the one that scheduled it."""


@dataclass(frozen=True)
class Step:
    """What a step does: in each attempt, in each call of the model, the text it writes; the last one is the answer."""

    attempts: list[list[str]]
    rewritten: str | None
    """By a hook, in the end."""

    def readings(self, number: int, first: bool) -> list[Reading]:
        scheduled = number * 10
        branch = f"run-{number // 2}"
        begun = Written(scheduled, branch, branch, number, 1, 0, "", seq=0, first=first)
        readings = [] if first else [_reading(scheduled, branch, [_event(EventType.STEP_START, number)])]
        for attempt, calls in enumerate(self.attempts, 1):
            for call, text in enumerate(calls):
                for length in range(1, len(text) + 1):
                    writing = Written(scheduled, branch, branch, number, attempt, call, text[:length], 0, 3, first)
                    readings.append(_reading(scheduled, branch, [], writing=writing))
        last = self.attempts[-1]
        call, text = len(last) - 1, last[-1]
        if self.rewritten not in (None, text):
            call, text = call + 1, str(self.rewritten)
        written = Written(scheduled, begun.began, branch, number, len(self.attempts), call, text, 0, 3, first)
        told = [_event(EventType.STEP_START, number)] if first else []
        told.append(_event(EventType.MODEL_CALL, number, messages=3))
        told += [_event(EventType.ERROR, number, error=str(n)) for n in range(len(last) - 1)]
        told.append(_event(EventType.MODEL_RESPONSE, number))
        return [*readings, _reading(scheduled + 5, branch, told, written=written)]


def _event(type: str, step: int, **data: object) -> TraceEvent:
    return TraceEvent(seq=0, type=type, step=step, ts=0.0, data=data)


def _reading(
    event: int,
    branch: str,
    told: list[TraceEvent],
    *,
    written: Written | None = None,
    writing: Written | None = None,
) -> Reading:
    return Reading(
        traced=tuple(identified(told, branch, event, written)),
        present=False,
        place=(0, event),
        branch=branch,
        progress=Progress(),
        members=(),
        stops={},
        turns={},
        first_turn=1,
        closed=False,
        written=written,
        writing=writing,
    )


def followed(readings: Sequence[Reading], after: EventId | None, *, tokens: bool = True) -> list[Identified]:
    new = NewEvents(tokens=tokens, after=after)
    told = [each for reading in readings for each in new.of(reading, wanted=True, present=False)]
    return told + new.rest()


def shown(events: Sequence[Identified]) -> list[object]:
    """What somebody shows who shows everything."""
    lines: list[object] = []
    text: list[str] | None = None
    for _, event in events:
        if event.type != EventType.TOKEN:
            lines.append((str(event.type), event.step, event.data))
            continue
        if text is None or text[0] != str(event.step):
            text = [str(event.step), ""]
            lines.append(text)
        text[1] = event.data["delta"] if "replaces" in event.data else text[1] + event.data["delta"]
    return [line for line in lines if not isinstance(line, list) or line[1]]


TEXT = st.text("ab🦦", max_size=4)
STEPS = st.lists(
    st.builds(
        Step,
        attempts=st.lists(st.lists(TEXT, min_size=1, max_size=3), min_size=1, max_size=3),
        rewritten=st.none() | TEXT,
    ),
    min_size=1,
    max_size=3,
)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Reading], list[list[Reading]]]:
    """All that could be read of a run, and of what is only there for a moment, what each of two readers caught."""
    steps = draw(STEPS)
    all_ = [reading for at, step in enumerate(steps) for reading in step.readings(at + 1, at == 0)]
    return all_, [[each for each in all_ if each.writing is None or draw(st.booleans())] for _ in range(2)]


@QUICK
@given(story=stories(), data=st.data())
def test_joining_at_any_id_gives_exactly_the_rest(
    story: tuple[list[Reading], list[list[Reading]]], data: st.DataObject
) -> None:
    _, (caught, caught_by_another) = story
    mine, theirs = followed(caught, None), followed(caught_by_another, None)
    assert shown(mine) == shown(theirs)
    ids = [str(id_) for id_, _ in mine]
    assert len({*ids}) == len(ids)

    at = data.draw(st.integers(0, len(mine) - 1))
    # Who joins again may have missed all that was only there for a moment, or catch other moments of it.
    for readings in (caught, caught_by_another):
        rest = followed(readings, EventId.parse(ids[at]))
        assert shown([*mine[: at + 1], *rest]) == shown(mine)
        assert not {str(id_) for id_, _ in rest} & {*ids[: at + 1]}


def test_a_text_that_was_given_up_is_replaced_for_whoever_joins_in_it_whatever_was_written_in_steps_before() -> None:
    steps = [Step([["first"]], None), Step([["given up", "the answer"]], None)]
    readings = [reading for at, step in enumerate(steps) for reading in step.readings(at + 1, at == 0)]
    mine = followed(readings, None)
    at = next(at for at, (_, event) in enumerate(mine) if event.step == 2 and event.data.get("delta") == "n")

    later = [reading for reading in readings if reading.writing is None]
    token = next(event for _, event in followed(later, mine[at][0]) if event.type == EventType.TOKEN)

    assert token.data == {"delta": "the answer", "replaces": True}


@QUICK
@given(story=stories())
def test_the_events_that_are_no_tokens_have_their_ids_with_and_without_them(
    story: tuple[list[Reading], list[list[Reading]]],
) -> None:
    _, (caught, _) = story
    without = followed(caught, None, tokens=False)
    assert {str(id_) for id_, _ in without} == {
        str(id_) for id_, event in followed(caught, None) if event.type != EventType.TOKEN
    }
    for at, (id_, _) in enumerate(without):
        assert followed(caught, id_, tokens=False) == without[at + 1 :]


def test_what_an_id_no_longer_stands_for_leaves_nothing_out() -> None:
    readings = Step([["ab"]], None).readings(1, first=True)

    assert shown(followed(readings, EventId("gone", 7))) == shown(followed(readings, None))


@pytest.mark.parametrize("text", ["", "x", "a-b-c", "run-1-", "run-1-0.1", "-1-0", "run-1-0-", "1" * 5000, None, 7])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is no id of an event"):
        EventId.parse(text)


@given(
    st.builds(
        EventId,
        st.uuids().map(str),
        st.integers(0, 10**9),
        number=st.integers(0, 99),
        members=st.lists(st.integers(0, 99), max_size=3).map(tuple),
    )
    | st.builds(
        EventId,
        st.uuids().map(str),
        st.integers(0, 10**9),
        written=st.tuples(st.integers(1, 9), st.integers(0, 9), st.integers(0, 10**6)),
    )
)
def test_an_id_is_read_as_it_was_written(id_: EventId) -> None:
    assert EventId.parse(str(id_)) == id_
