"""Tool calls in the ledger: results enter in the order of the calls, starts are traced once."""

import pytest
from spine_core import Message, RunStatus, StopReason, Usage

from spine_temporal.contracts.run_end import Ending
from spine_temporal.contracts.state_delta import StateDelta
from spine_temporal.journal.entries import Entry
from spine_temporal.journal.trace import Event
from tests.rooms.journal.entries import COST, begun, calling, folded, ledger_of, step_done, tool_begun, tool_done

TWO = step_done(1, calling("find", "find"))
GUARDED = Ending(reason=StopReason.GUARDRAIL, answer="not this", event="guard_trip")


def started(index: int, arguments: dict[str, int] | None = None) -> Event:
    return Event("tool_call", 1, {"tool": "find", "arguments": arguments or {"n": index}})


def result(content: str) -> Event:
    return Event("tool_result", 1, {"tool": "find", "result": content})


def test_results_side_by_side_are_traced_as_they_come_and_enter_in_order() -> None:
    ledger, trace = folded(
        *begun(parallel_tools=True), TWO, tool_begun(0), tool_begun(1), tool_done(1, "b"), tool_done(0, "a")
    )

    assert trace[3:] == [[started(0)], [started(1)], [result("b")], [result("a")]]
    assert ledger.state.messages[-2:] == [Message.tool("a", "call_0", "find"), Message.tool("b", "call_1", "find")]


def test_result_side_by_side_has_not_entered_before_all_are_there() -> None:
    ledger, _ = folded(*begun(parallel_tools=True), TWO, tool_begun(0), tool_begun(1), tool_done(1, "b"))

    assert ledger.state.messages[-1] == calling("find", "find")


def test_results_one_after_another_enter_at_once() -> None:
    ledger, _ = folded(*begun(), TWO, tool_begun(0), tool_done(0, "a"))

    assert ledger.state.messages[-1] == Message.tool("a", "call_0", "find")


@pytest.mark.parametrize(
    ("done", "traced"),
    [
        (tool_done(0, "a"), [started(0), result("a")]),
        (tool_done(0, "a", arguments={"n": 9}), [started(0, {"n": 9}), result("a")]),
        (tool_done(0, "preset", called=False), [result("preset")]),
        (tool_done(0, ending=GUARDED, called=False), [Event("guard_trip", 1, {"reason": "guardrail"})]),
        (tool_done(0, ending=GUARDED), [started(0), Event("guard_trip", 1, {"reason": "guardrail"})]),
    ],
    ids=["run", "run with other arguments", "preset by a hook", "stopped before it ran", "stopped after it ran"],
)
def test_start_that_a_hook_may_change_is_traced_with_the_result(done: Entry, traced: list[Event]) -> None:
    _, events = folded(*begun(hooks=("before_tool",)), TWO, tool_begun(0), done)

    assert events[3:] == [[], traced]


def test_call_of_an_unknown_tool_is_traced_as_the_kernel_traces_it() -> None:
    done = tool_done(0, "no such tool", known=False, called=False)

    ledger, trace = folded(*begun(), step_done(1, calling("nowhere")), tool_begun(0), done)

    assert trace[3:] == [[], [Event("tool_result", 1, {"tool": "nowhere", "error": "unknown_tool"})]]
    assert ledger.state.messages[-1] == Message.tool("no such tool", "call_0", "nowhere")


def test_call_that_ends_the_run_leaves_no_result_in_the_conversation() -> None:
    ledger, _ = folded(*begun(), TWO, tool_begun(0), tool_done(0, ending=GUARDED))

    assert ledger.state.messages[-1] == calling("find", "find")
    assert (ledger.state.status, ledger.progress.answer) == (RunStatus.DONE, "not this")


def test_ending_of_a_run_is_traced_once_however_many_calls_wanted_it() -> None:
    _, trace = folded(
        *begun(parallel_tools=True, hooks=("before_tool",)),
        TWO,
        tool_begun(0),
        tool_begun(1),
        tool_done(1, ending=GUARDED, called=False),
        tool_done(0, ending=GUARDED, called=False),
    )

    assert trace[5:] == [[], [Event("guard_trip", 1, {"reason": "guardrail"})]]


def test_what_hooks_changed_comes_before_the_result() -> None:
    hooked = StateDelta(messages=[Message.user("by the way")], scratch={"set": {"key": 1}})

    ledger, _ = folded(*begun(), TWO, tool_begun(0), tool_done(0, "a", delta=hooked))

    assert ledger.state.messages[-2:] == [Message.user("by the way"), Message.tool("a", "call_0", "find")]
    assert ledger.state.scratch == {"key": 1}


def test_calls_of_the_next_step_begin_with_no_results() -> None:
    ledger, trace = folded(
        *begun(),
        step_done(1, calling("find")),
        tool_begun(0),
        tool_done(0, "a"),
        step_done(2, calling("find")),
        tool_begun(0, step=2),
    )

    assert [content.outcomes for content in ledger.calls] == [()]
    assert trace[-1] == [Event("tool_call", 2, {"tool": "find", "arguments": {"n": 0}})]


def test_result_of_another_attempt_changes_neither_conversation_nor_trace() -> None:
    entries = [*begun(), TWO, tool_begun(0), tool_done(0, "a")]

    ledger, trace = folded(*entries, tool_done(0, "again", id="of another attempt"))

    assert trace[-1] == []
    assert ledger.state == ledger_of(*entries).state


def test_spending_of_whoever_did_the_work_is_the_runs() -> None:
    spent = Usage(input_tokens=3, cost_usd=0.5)

    ledger = ledger_of(*begun(), TWO, tool_begun(0), tool_done(0, "a", spent=spent))

    assert ledger.state.usage == ledger.progress.usage == COST + spent
