"""The next move, in the kernel's order."""

from dataclasses import replace

import pytest
from spine_core import Guards, State, StopReason, Usage

from spine_temporal.contracts.approval import ApprovalRequestSummary
from spine_temporal.contracts.run_end import AnswerFrom, Ending
from spine_temporal.contracts.run_request import AgentSpec
from spine_temporal.contracts.step import PlannedCall
from spine_temporal.contracts.subagent import Delegation
from spine_temporal.journal.counters import Progress, failure, paused_ending, stopped_by_guard
from spine_temporal.journal.next_move import Finish, Move, Pause, RunTools, TakeStep, Wait, next_move
from spine_temporal.journal.tool_calls import Call, Calls, Phase, Subagent

PLANNED = PlannedCall(id="call_0", name="find")
FINAL = Ending(reason=StopReason.FINAL, answer="done")
CANCELLED = Finish(stopped_by_guard(StopReason.CANCELLED))
EVERYTHING_TRIPS = Guards(max_depth=0, max_steps=0, max_cost_usd=0, max_tokens=0, timeout_s=0)
SPENT = Progress(step=1, depth=1, usage=Usage(input_tokens=1, cost_usd=1.0))


def calls_in(*phases: Phase, parallel: bool = False, status: str = "running") -> Calls:
    """Calls in these phases; a delegated one is with an agent of that status."""

    def call(phase: Phase) -> Call:
        agent = Subagent(Delegation(agent="helper", input=""), status=status) if phase is Phase.DELEGATED else None
        asks = ApprovalRequestSummary() if phase is Phase.ASKED else None
        return Call(PLANNED, phase, subagent=agent, ask=asks)

    return Calls(1, tuple(map(call, phases)), parallel=parallel)


OVER = calls_in(Phase.ENTERED, Phase.ENTERED)
OPEN = calls_in(Phase.PLANNED, Phase.PLANNED, parallel=True)


def move_of(progress: Progress, guards: Guards | None = None, *, elapsed_s: float = 0.0) -> Move:
    spec = AgentSpec(agent="a", guards=guards or Guards())
    return next_move(replace(progress, spec=spec), elapsed_s=elapsed_s)


# Each row is what comes next when this row's reason and every reason below it hold.
IN_ORDER = [
    ("it has ended", replace(SPENT, ending=FINAL, calls=OPEN, stop_requested=True), Finish(FINAL)),
    ("it cannot go on", replace(SPENT, failed=failure("x"), calls=OPEN, stop_requested=True), Finish(failure("x"))),
    ("calls are open", replace(SPENT, calls=OPEN, stop_requested=True), RunTools((0, 1))),
    ("somebody asked it to stop", replace(SPENT, calls=OVER, stop_requested=True), CANCELLED),
    ("a guard trips", replace(SPENT, calls=OVER), Finish(stopped_by_guard(StopReason.MAX_DEPTH))),
]


@pytest.mark.parametrize(("progress", "move"), [row[1:] for row in IN_ORDER], ids=[row[0] for row in IN_ORDER])
def test_first_reason_in_the_kernels_order_decides(progress: Progress, move: Move) -> None:
    assert move_of(progress, EVERYTHING_TRIPS, elapsed_s=1.0) == move


LIMITS = ["max_depth", "max_steps", "max_cost_usd", "max_tokens", "timeout_s"]
TRIPPED = [
    StopReason.MAX_DEPTH,
    StopReason.MAX_STEPS,
    StopReason.MAX_COST,
    StopReason.MAX_TOKENS,
    StopReason.TIMEOUT,
]


@pytest.mark.parametrize("lifted", range(len(LIMITS)))
def test_guards_trip_in_the_kernels_order(lifted: int) -> None:
    guards = EVERYTHING_TRIPS.model_copy(update=dict.fromkeys(LIMITS[:lifted]))
    state = State(session_id="s1", step=SPENT.step, depth=SPENT.depth, usage=SPENT.usage)

    move = move_of(SPENT, guards, elapsed_s=1.0)

    assert move == Finish(stopped_by_guard(TRIPPED[lifted]))
    assert guards.check(state, 1.0) is TRIPPED[lifted]


@pytest.mark.parametrize("progress", [Progress(step=4), Progress(step=4, calls=OVER)], ids=["no calls", "calls done"])
def test_otherwise_the_next_step_is_taken(progress: Progress) -> None:
    assert move_of(progress) == TakeStep(5)
    assert move_of(progress, Guards(max_steps=None, timeout_s=2.0), elapsed_s=1.9) == TakeStep(5)


P, R, A, D, G, B, E = (
    Phase.PLANNED,
    Phase.RUNNING,
    Phase.ASKED,
    Phase.DECIDED,
    Phase.DELEGATED,
    Phase.RETURNED,
    Phase.ENTERED,
)
WITHIN = [
    ("one after another", calls_in(P, P), RunTools((0,)), RunTools((0,))),
    ("the next one", calls_in(E, P), RunTools((1,)), RunTools((1,))),
    ("side by side", calls_in(P, P, parallel=True), RunTools((0, 1)), RunTools((0, 1))),
    ("the rest of those side by side", calls_in(R, P, parallel=True), RunTools((1,)), RunTools((1,))),
    ("it runs", calls_in(R, P), Wait(), Wait()),
    ("it waits for a person", calls_in(A, P), Pause(0), CANCELLED),
    ("one waits, one runs", calls_in(A, R, parallel=True), Wait(), Wait()),
    ("it was decided", calls_in(D, P), RunTools((0,)), RunTools((0,))),
    ("another agent works on it", calls_in(G), Wait(), Wait()),
    ("that agent waits for a person", calls_in(G, status="paused"), Pause(0), CANCELLED),
    ("that agent is over", calls_in(G, status="over"), Wait(), Wait()),
    ("a hook has yet to see what came back", calls_in(B), RunTools((0,)), RunTools((0,))),
]


@pytest.mark.parametrize(("calls", "move", "stopping"), [row[1:] for row in WITHIN], ids=[row[0] for row in WITHIN])
def test_phases_of_the_calls_decide_within_a_step(calls: Calls, move: Move, stopping: Move) -> None:
    assert move_of(Progress(calls=calls)) == move
    assert move_of(Progress(calls=calls, stop_requested=True)) == stopping


@pytest.mark.parametrize(
    ("calls", "move"), [(calls_in(R), Wait()), (calls_in(P), Finish(FINAL)), (None, Finish(FINAL))]
)
def test_turn_that_has_ended_waits_for_what_is_in_flight(calls: Calls | None, move: Move) -> None:
    assert move_of(Progress(ending=FINAL, calls=calls)) == move


def test_run_that_nobody_has_opened_has_no_next_step() -> None:
    with pytest.raises(ValueError, match="the run has not been opened"):
        next_move(Progress(), elapsed_s=0.0)


@pytest.mark.parametrize("reason", [StopReason.MAX_STEPS, StopReason.CANCELLED])
def test_run_stopped_between_steps_answers_with_the_models_last_words(reason: StopReason) -> None:
    assert stopped_by_guard(reason) == Ending(reason=reason, answer_from=AnswerFrom.LAST_TEXT, event="guard_trip")


def test_pause_is_no_end_of_the_turn() -> None:
    paused = Progress(ending=paused_ending(), calls=calls_in(A))

    assert (paused.paused, paused.over) == (True, False)
    assert move_of(replace(paused, ending=None)) == Pause(0)
