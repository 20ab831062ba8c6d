"""The next move, in the kernel's order."""

from dataclasses import replace

import pytest
from spine_core import Guards, State, StopReason, Usage

from spine_temporal.contracts.run_end import AnswerFrom, Ending
from spine_temporal.contracts.run_request import AgentSpec
from spine_temporal.contracts.step import PlannedCall
from spine_temporal.journal.batch import Batch
from spine_temporal.journal.next_move import Finish, Move, RunTools, TakeStep, decide
from spine_temporal.journal.progress import Progress, trip

CALLS = (PlannedCall(id="call_0", name="find"), PlannedCall(id="call_1", name="find"))
OVER = Batch(CALLS, parallel=False, entered=2)
FINAL = Ending(reason=StopReason.FINAL, answer="done")
EVERYTHING_TRIPS = Guards(max_depth=0, max_steps=0, max_cost_usd=0, max_tokens=0, timeout_s=0)
SPENT = Progress(step=1, depth=1, usage=Usage(input_tokens=1, cost_usd=1.0))


def next_move(progress: Progress, guards: Guards | None = None, *, elapsed_s: float = 0.0, stop: bool = False) -> Move:
    return decide(progress, AgentSpec(agent="a", guards=guards or Guards()), elapsed_s=elapsed_s, stop=stop)


# Each row is what comes next when this row's reason and every reason below it hold.
IN_ORDER = [
    ("it has ended", replace(SPENT, ending=FINAL, batch=Batch(CALLS, parallel=True)), True, Finish(FINAL)),
    ("calls are open", replace(SPENT, batch=Batch(CALLS, parallel=True)), True, RunTools((0, 1))),
    ("somebody asked it to stop", replace(SPENT, batch=OVER), True, Finish(trip(StopReason.CANCELLED))),
    ("a guard trips", replace(SPENT, batch=OVER), False, Finish(trip(StopReason.MAX_DEPTH))),
]


@pytest.mark.parametrize(("progress", "stop", "move"), [row[1:] for row in IN_ORDER], ids=[row[0] for row in IN_ORDER])
def test_first_reason_in_the_kernels_order_decides(progress: Progress, stop: bool, move: Move) -> None:
    assert next_move(progress, EVERYTHING_TRIPS, elapsed_s=1.0, stop=stop) == move


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

    move = next_move(SPENT, guards, elapsed_s=1.0)

    assert move == Finish(trip(TRIPPED[lifted]))
    assert guards.check(state, 1.0) is TRIPPED[lifted]


@pytest.mark.parametrize("progress", [Progress(step=4), Progress(step=4, batch=OVER)], ids=["no calls", "calls done"])
def test_otherwise_the_next_step_is_taken(progress: Progress) -> None:
    assert next_move(progress) == TakeStep(5)
    assert next_move(progress, Guards(max_steps=None, timeout_s=2.0), elapsed_s=1.9) == TakeStep(5)


def test_calls_run_one_after_another_or_all_at_once() -> None:
    one_done = Batch(CALLS, parallel=False, done=frozenset({0}), entered=1)

    assert next_move(Progress(batch=Batch(CALLS, parallel=False))) == RunTools((0,))
    assert next_move(Progress(batch=one_done)) == RunTools((1,))
    assert next_move(Progress(batch=Batch(CALLS, parallel=True))) == RunTools((0, 1))


@pytest.mark.parametrize("reason", [StopReason.MAX_STEPS, StopReason.CANCELLED])
def test_run_stopped_between_steps_answers_with_the_models_last_words(reason: StopReason) -> None:
    assert trip(reason) == Ending(reason=reason, answer_from=AnswerFrom.LAST_TEXT, event="guard_trip")
