"""The kernel's Result, from a ledger."""

import pytest
from spine_core import Message, Result, StopReason, TraceEvent

from spine_temporal.contracts.run_end import Ending
from spine_temporal.journal.counters import stopped_by_guard
from spine_temporal.journal.entries import Closed
from spine_temporal.journal.result import result_of
from tests.rooms.journal.entries import FINAL, begun, folded, step_done

TRACE = [TraceEvent(seq=0, type="step_start", step=1, ts=1.5)]


def test_ended_run_has_a_result() -> None:
    ledger, _ = folded(*begun(), step_done(1, Message.assistant("done"), ending=FINAL))

    assert result_of(ledger, TRACE) == Result(
        answer="done",
        stopped_reason=StopReason.FINAL,
        state=ledger.state,
        trace=TRACE,
        usage=ledger.state.usage,
    )


@pytest.mark.parametrize(
    ("ending", "answer", "error"),
    [
        (stopped_by_guard(StopReason.CANCELLED), "so far", None),
        (Ending(reason=StopReason.ERROR, error="lost"), None, "lost"),
        (Ending(reason=StopReason.GUARDRAIL, answer="not this", event="guard_trip"), "not this", None),
    ],
)
def test_result_says_how_the_run_was_ended(ending: Ending, answer: str | None, error: str | None) -> None:
    ledger, _ = folded(*begun(), step_done(1, Message.assistant("so far")), Closed(ending))

    result = result_of(ledger, [])

    assert (result.stopped_reason, result.answer, result.error) == (ending.reason, answer, error)
    assert not result.ok


def test_run_that_goes_on_has_no_result() -> None:
    ledger, _ = folded(*begun(), step_done(1, Message.assistant("so far")))

    with pytest.raises(ValueError, match="has not ended"):
        result_of(ledger, [])
