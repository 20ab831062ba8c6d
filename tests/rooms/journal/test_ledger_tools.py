"""Tool calls in the ledger: results enter in the order of the calls, starts are told once."""

import pytest
from spine_core import Message, RunStatus, StopReason

from spine_temporal.contracts.run_end import Ending
from spine_temporal.contracts.state_delta import StateDelta
from spine_temporal.journal.entries import Entry
from spine_temporal.journal.trace import Event
from tests.rooms.journal.entries import asks, opened, said, told_by, tool_begun, tool_done

TWO = said(1, asks("find", "find"))
GUARDED = Ending(reason=StopReason.GUARDRAIL, answer="not this", event="guard_trip")


def started(index: int, arguments: dict[str, int] | None = None) -> Event:
    return Event("tool_call", 1, {"tool": "find", "arguments": arguments or {"n": index}})


def result(content: str) -> Event:
    return Event("tool_result", 1, {"tool": "find", "result": content})


def test_results_side_by_side_are_told_as_they_come_and_enter_in_order() -> None:
    ledger, told = told_by(
        opened(parallel_tools=True), TWO, tool_begun(0), tool_begun(1), tool_done(1, "b"), tool_done(0, "a")
    )

    assert told[2:] == [[started(0)], [started(1)], [result("b")], [result("a")]]
    assert ledger.state.messages[-2:] == [Message.tool("a", "call_0", "find"), Message.tool("b", "call_1", "find")]


def test_result_side_by_side_has_not_entered_before_all_are_there() -> None:
    ledger, _ = told_by(opened(parallel_tools=True), TWO, tool_begun(0), tool_begun(1), tool_done(1, "b"))

    assert ledger.state.messages[-1] == asks("find", "find")


def test_results_one_after_another_enter_at_once() -> None:
    ledger, _ = told_by(opened(), TWO, tool_begun(0), tool_done(0, "a"))

    assert ledger.state.messages[-1] == Message.tool("a", "call_0", "find")


@pytest.mark.parametrize(
    ("done", "told"),
    [
        (tool_done(0, "a"), [started(0), result("a")]),
        (tool_done(0, "a", arguments={"n": 9}), [started(0, {"n": 9}), result("a")]),
        (tool_done(0, "preset", called=False), [result("preset")]),
        (tool_done(0, ending=GUARDED, called=False), [Event("guard_trip", 1, {"reason": "guardrail"})]),
        (tool_done(0, ending=GUARDED), [started(0), Event("guard_trip", 1, {"reason": "guardrail"})]),
    ],
    ids=["run", "run with other arguments", "preset by a hook", "stopped before it ran", "stopped after it ran"],
)
def test_start_that_a_hook_may_change_is_told_with_the_result(done: Entry, told: list[Event]) -> None:
    _, events = told_by(opened(hooks=("before_tool",)), TWO, tool_begun(0), done)

    assert events[2:] == [[], told]


def test_call_of_an_unknown_tool_is_told_as_the_kernel_tells_it() -> None:
    ledger, told = told_by(
        opened(), said(1, asks("nowhere")), tool_begun(0), tool_done(0, "no such tool", known=False, called=False)
    )

    assert told[2:] == [[], [Event("tool_result", 1, {"tool": "nowhere", "error": "unknown_tool"})]]
    assert ledger.state.messages[-1] == Message.tool("no such tool", "call_0", "nowhere")


def test_call_that_ends_the_run_leaves_no_result_in_the_conversation() -> None:
    ledger, _ = told_by(opened(), TWO, tool_begun(0), tool_done(0, ending=GUARDED))

    assert ledger.state.messages[-1] == asks("find", "find")
    assert (ledger.state.status, ledger.progress.answer) == (RunStatus.DONE, "not this")


def test_ending_of_a_run_is_told_once_however_many_calls_wanted_it() -> None:
    _, told = told_by(
        opened(parallel_tools=True, hooks=("before_tool",)),
        TWO,
        tool_done(1, ending=GUARDED, called=False),
        tool_done(0, ending=GUARDED, called=False),
    )

    assert told[2:] == [[], [Event("guard_trip", 1, {"reason": "guardrail"})]]


def test_what_hooks_changed_comes_before_the_result() -> None:
    hooked = StateDelta(messages=[Message.user("by the way")], scratch={"set": {"seen": 1}})

    ledger, _ = told_by(opened(), TWO, tool_begun(0), tool_done(0, "a", delta=hooked))

    assert ledger.state.messages[-2:] == [Message.user("by the way"), Message.tool("a", "call_0", "find")]
    assert ledger.state.scratch == {"seen": 1}


def test_calls_of_the_next_step_begin_with_no_results() -> None:
    ledger, told = told_by(
        opened(),
        said(1, asks("find")),
        tool_begun(0),
        tool_done(0, "a"),
        said(2, asks("find")),
        tool_begun(0, step=2),
    )

    assert ledger.outcomes == {}
    assert told[-1] == [Event("tool_call", 2, {"tool": "find", "arguments": {"n": 0}})]
