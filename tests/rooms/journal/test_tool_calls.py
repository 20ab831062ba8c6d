"""A tool call moves from phase to phase by one table, and results enter in the order of the calls."""

from itertools import product

import pytest

from spine_temporal.contracts.approval import ApprovalPolicy, ApprovalRequestSummary
from spine_temporal.contracts.step import PlannedCall
from spine_temporal.contracts.subagent import Delegation
from spine_temporal.journal.tool_calls import (
    TRANSITIONS,
    Call,
    CallDecision,
    Calls,
    Event,
    NoTransition,
    Phase,
    Subagent,
    ask,
    begin,
    decide,
)

PLANNED = PlannedCall(id="a", name="pay")
GATED = PlannedCall(id="a", name="pay", approve=True)
QUESTION = ApprovalRequestSummary(digest="d", asked_s=100.0)
YES = CallDecision("u1", approved=True, digest="d")
PAIRS = list(product(Phase, Event))

# The law as a reader would write it: for each phase, what may happen and where it leads.
LAW: dict[Phase, dict[Event, Phase]] = {
    Phase.PLANNED: {Event.BEGIN: Phase.RUNNING, Event.DECIDE: Phase.PLANNED},
    Phase.RUNNING: {
        Event.DECIDE: Phase.RUNNING,
        Event.ASK: Phase.ASKED,
        Event.DELEGATE: Phase.DELEGATED,
        Event.FINISH: Phase.DONE,
    },
    Phase.ASKED: {Event.DECIDE: Phase.DECIDED, Event.EXPIRE: Phase.DECIDED},
    Phase.DECIDED: {Event.BEGIN: Phase.RUNNING},
    Phase.DELEGATED: {Event.RETURN: Phase.RETURNED, Event.FINISH: Phase.DONE},
    Phase.RETURNED: {Event.BEGIN: Phase.RUNNING},
    Phase.DONE: {Event.ENTER: Phase.ENTERED},
    Phase.ENTERED: {},
}


@pytest.mark.parametrize(("phase", "event"), PAIRS, ids=[f"{phase} {event}" for phase, event in PAIRS])
def test_call_moves_by_the_table_or_refuses(phase: Phase, event: Event) -> None:
    call, following = Call(PLANNED, phase), LAW[phase].get(event)

    if following is None:
        with pytest.raises(NoTransition, match=f"call 'a' of 'pay' is {phase}: no {event} now"):
            call.moved(event)
    else:
        assert call.moved(event) == Call(PLANNED, following)
    assert call.phase is phase


def test_table_has_no_pair_that_the_law_has_not() -> None:
    law = {(phase, event): to for phase, moves in LAW.items() for event, to in moves.items()}

    assert law == TRANSITIONS


def reachable(start: Phase) -> set[Phase]:
    """The phases that a call in `start` can come to, `start` among them."""
    found = {start}
    while new := {to for (phase, _), to in TRANSITIONS.items() if phase in found} - found:
        found |= new
    return found


def test_every_phase_is_reached_and_every_phase_leads_to_the_conversation() -> None:
    assert reachable(Phase.PLANNED) == set(Phase)
    assert all(Phase.ENTERED in reachable(phase) for phase in Phase)


def test_entered_call_never_moves_again() -> None:
    assert reachable(Phase.ENTERED) == {Phase.ENTERED}


def test_call_counts_how_often_it_began_and_uses_its_decision_up() -> None:
    first = begin(Call(GATED))
    again = begin(decide(ask(first, QUESTION, None), YES, "approved"))

    assert (first.phase, first.begun) == (Phase.RUNNING, 1)
    assert (again.phase, again.begun, again.decision) == (Phase.RUNNING, 2, None)


def test_call_that_returned_from_a_subagent_begins_again() -> None:
    delegated = Call(PLANNED, Phase.DELEGATED, begun=1, subagent=Subagent(Delegation(agent="helper", input="")))

    returned = delegated.moved(Event.RETURN)

    assert returned.resumes
    assert begin(returned).begun == 2


def test_running_call_cannot_begin_a_second_time() -> None:
    with pytest.raises(NoTransition):
        begin(begin(Call(PLANNED)))


def test_early_decision_is_kept_and_used_when_the_call_asks() -> None:
    early = decide(Call(GATED), YES, "approved")
    assert (early.phase, early.decision) == (Phase.PLANNED, YES)

    running = begin(early)
    assert (running.phase, running.decision) == (Phase.RUNNING, YES)

    asked = ask(running, QUESTION, None)
    assert (asked.phase, asked.decision, asked.settled) == (Phase.DECIDED, YES, "approved")


def test_early_decision_on_other_arguments_is_dropped_when_the_call_asks() -> None:
    other = CallDecision("u1", approved=True, digest="before the hooks")

    asked = ask(begin(decide(Call(GATED), other, "approved")), QUESTION, None)

    assert (asked.phase, asked.decision, asked.settled) == (Phase.ASKED, None, "")
    assert asked.decidable


def test_decision_on_other_arguments_leaves_the_call_waiting() -> None:
    asked = ask(begin(Call(GATED)), QUESTION, None)

    assert decide(asked, CallDecision("u1", approved=True, digest="other"), "approved") == asked


@pytest.mark.parametrize("phase", [Phase.DECIDED, Phase.DELEGATED, Phase.RETURNED, Phase.DONE, Phase.ENTERED])
def test_call_that_waits_for_nobody_takes_no_decision(phase: Phase) -> None:
    with pytest.raises(NoTransition):
        decide(Call(GATED, phase), YES, "approved")


@pytest.mark.parametrize(
    ("own", "default", "due_s"),
    [
        (None, None, None),
        (None, ApprovalPolicy(timeout_s=60), 160.0),
        (ApprovalPolicy(timeout_s=5), ApprovalPolicy(timeout_s=60), 105.0),
        (ApprovalPolicy(), ApprovalPolicy(timeout_s=60), None),
    ],
    ids=["no policy", "the run's", "the tool's own", "the tool's own without end"],
)
def test_decision_is_due_by_the_tools_policy_or_the_runs(
    own: ApprovalPolicy | None, default: ApprovalPolicy | None, due_s: float | None
) -> None:
    asked = ask(begin(Call(GATED.model_copy(update={"approval": own}))), QUESTION, default)

    assert asked.expires_s == due_s
    assert Calls(1, (Call(GATED), asked)).next_expiry_s() == due_s


def test_expired_call_goes_on_and_has_no_deadline_any_more() -> None:
    asked = ask(begin(Call(GATED)), QUESTION, ApprovalPolicy(timeout_s=60))

    expired = decide(asked, CallDecision("e", approved=False, digest="d", expired_after_s=60.0), "left")

    assert (expired.phase, expired.expires_s, expired.settled) == (Phase.DECIDED, None, "left")
    assert Calls(1, (expired,)).next_expiry_s() is None


def test_call_that_has_not_asked_cannot_expire() -> None:
    with pytest.raises(NoTransition, match="no expire now"):
        decide(begin(Call(GATED)), CallDecision("e", approved=False, expired_after_s=60.0), "left")


def test_call_may_ask_again_with_a_deadline_of_its_own() -> None:
    policy = ApprovalPolicy(timeout_s=60)
    approved = begin(decide(ask(begin(Call(GATED)), QUESTION, policy), YES, "approved"))

    again = ask(approved, ApprovalRequestSummary(digest="e", asked_s=200.0), policy)

    assert (again.phase, again.expires_s, again.decision) == (Phase.ASKED, 260.0, None)


def test_calls_planned_anew_keep_what_was_decided_of_those_whose_plan_is_the_same() -> None:
    other = PlannedCall(id="b", name="pay", approve=True, digest="other")
    decided_early = decide(Call(GATED), YES, "approved")
    calls = Calls(1, (Call(PLANNED, Phase.RUNNING), decided_early, decided_early))

    assert calls.with_later(0, [GATED, other]).items == (calls.items[0], decided_early, Call(other))
    assert calls.with_later(0, [other, GATED]).items == (calls.items[0], Call(other), decided_early)
    assert calls.with_later(0, [GATED, GATED, PLANNED]).items == (*calls.items, Call(PLANNED))
    assert calls.with_later(1, []).items == calls.items[:2]
