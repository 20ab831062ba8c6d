"""Which calls of a step may begin, which results enter, in which order."""

import pytest

from spine_temporal.contracts.approval import ApprovalRequestSummary
from spine_temporal.contracts.step import PlannedCall
from spine_temporal.contracts.subagent import Delegation
from spine_temporal.contracts.tool_call import ToolSummary
from spine_temporal.journal.counters import Progress
from spine_temporal.journal.tool_calls import Call, CallDecision, Calls, Phase, Subagent, begin, decide
from spine_temporal.journal.tool_results import with_outcome


def calls_of(*names: str, parallel: bool = False) -> Calls:
    """Calls of a step; the tool `pay` is gated."""
    planned = [PlannedCall(id=f"call_{n}", name=name, approve=name == "pay") for n, name in enumerate(names)]
    return Calls(1, tuple(Call(each) for each in planned), parallel=parallel)


def began(calls: Calls) -> Calls:
    """All that may begin has begun."""
    for index in calls.runnable():
        calls = calls.with_call(index, begin(calls.items[index]))
    return calls


def after(calls: Calls, index: int, outcome: ToolSummary) -> Calls:
    """The calls with an outcome of one."""
    found = with_outcome(Progress(calls=calls), index, outcome).calls
    assert found is not None
    return found


def phases(calls: Calls) -> list[Phase]:
    return [call.phase for call in calls.items]


R, D, E, P = Phase.RUNNING, Phase.DONE, Phase.ENTERED, Phase.PLANNED
# Each row: whose result arrives, then the phase of each call, then what may begin.
SEQUENTIAL = [(0, [E, P, P], (1,)), (1, [E, E, P], (2,)), (2, [E, E, E], ())]
PARALLEL_IN_ORDER = [(0, [D, R, R], ()), (1, [D, D, R], ()), (2, [E, E, E], ())]
PARALLEL_REVERSED = [(2, [R, R, D], ()), (1, [R, D, D], ()), (0, [E, E, E], ())]
PARALLEL_TWICE = [(1, [R, D, R], ()), (1, [R, D, R], ()), (0, [D, D, R], ()), (2, [E, E, E], ())]


@pytest.mark.parametrize(
    ("parallel", "first", "arrivals"),
    [
        (False, (0,), SEQUENTIAL),
        (True, (0, 1, 2), PARALLEL_IN_ORDER),
        (True, (0, 1, 2), PARALLEL_REVERSED),
        (True, (0, 1, 2), PARALLEL_TWICE),
    ],
    ids=["one after another", "side by side", "side by side, reversed", "side by side, one reported twice"],
)
def test_results_enter_in_the_order_of_the_calls(
    parallel: bool, first: tuple[int, ...], arrivals: list[tuple[int, list[Phase], tuple[int, ...]]]
) -> None:
    calls = calls_of("find", "find", "find", parallel=parallel)
    assert calls.runnable() == first

    for index, expected, runnable in arrivals:
        assert not calls.over
        calls = after(began(calls), index, ToolSummary(id=f"tool {index}"))
        assert (phases(calls), calls.runnable()) == (expected, runnable)
    assert calls.over


def test_calls_are_never_changed_in_place() -> None:
    calls = calls_of("find", "find", parallel=True)

    after(began(calls), 0, ToolSummary(id="a"))

    assert calls == calls_of("find", "find", parallel=True)


def test_second_outcome_of_a_call_changes_nothing() -> None:
    calls = after(began(calls_of("find", "find")), 0, ToolSummary(id="a"))

    assert after(calls, 0, ToolSummary(id="of another attempt")) == calls


@pytest.mark.parametrize(
    ("names", "together"),
    [(("find", "find"), True), (("find", "pay"), False), (("find",), False)],
    ids=["two", "one of them gated", "only one"],
)
def test_calls_run_side_by_side_unless_one_is_gated(names: tuple[str, ...], together: bool) -> None:
    assert calls_of(*names, parallel=True).together is together
    assert not calls_of(*names, parallel=False).together


def test_calls_behind_one_that_was_decided_run_side_by_side_again() -> None:
    calls = began(calls_of("pay", "find", "find", parallel=True))
    calls = after(calls, 0, ToolSummary(id="a", asks=ApprovalRequestSummary(digest="d")))
    assert (phases(calls), calls.runnable(), calls.waiting_at()) == ([Phase.ASKED, P, P], (), 0)

    calls = calls.with_call(0, decide(calls.items[0], CallDecision("u", approved=True, digest="d"), "approved"))
    assert calls.runnable() == (0,)
    calls = after(began(calls), 0, ToolSummary(id="b"))

    assert (phases(calls), calls.group, calls.runnable()) == ([E, P, P], 1, (1, 2))


def test_gated_calls_may_be_decided_before_their_turn() -> None:
    calls = calls_of("find", "pay", "pay")
    assert calls.decidable() == [1, 2]

    early = calls.with_call(1, decide(calls.items[1], CallDecision("u", approved=True), "approved"))

    assert early.decidable() == [2]
    assert early.runnable() == (0,)


@pytest.mark.parametrize(
    ("status", "busy", "waiting_at"),
    [("running", True, None), ("paused", False, 0), ("over", False, None)],
)
def test_call_waits_for_a_person_when_its_subagent_does(status: str, busy: bool, waiting_at: int | None) -> None:
    subagent = Subagent(Delegation(agent="helper", input=""), status=status)
    calls = calls_of("ask").with_call(0, Call(PlannedCall(id="a", name="ask"), Phase.DELEGATED, subagent=subagent))

    assert (calls.busy, calls.waiting_at(), calls.runnable()) == (busy, waiting_at, ())


def test_delegated_call_keeps_what_it_gave_the_agent() -> None:
    given = Delegation(agent="helper", input="help")

    calls = after(began(calls_of("ask")), 0, ToolSummary(id="a", delegates=given))

    assert (phases(calls), calls.items[0].subagent) == ([Phase.DELEGATED], Subagent(given))
