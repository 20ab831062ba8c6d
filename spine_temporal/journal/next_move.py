"""What comes next."""

from dataclasses import dataclass
from typing import NamedTuple

from spine_core import State, StopReason

from spine_temporal.contracts.run_end import Ending
from spine_temporal.journal.counters import Progress, stopped_by_guard
from spine_temporal.journal.tool_calls import Calls


class TakeStep(NamedTuple):
    """Ask the model."""

    step: int


class RunTools(NamedTuple):
    """Run these calls of the step, all at once."""

    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Something is in flight, nothing else can be done meanwhile."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for a person; the call is the first of those that need one."""

    index: int


class Finish(NamedTuple):
    """The turn is over."""

    ending: Ending


type Move = TakeStep | RunTools | Wait | Pause | Finish


def next_move(progress: Progress, *, elapsed_s: float) -> Move:
    """The next move, in the kernel's order: finish what is planned, then cancel, then guards, then a step.

    A pause is a boundary at which a requested stop takes effect.

    Raises:
        ValueError: no worker has answered what the agent is.
    """
    calls, spec = progress.calls, progress.spec
    busy = calls is not None and calls.busy
    ending = progress.ending or progress.failed
    if ending is not None:
        return Wait() if busy else Finish(ending)
    if calls is not None and not calls.over:
        return _within(calls, stop=progress.stop_requested)
    if progress.stop_requested:
        return Finish(stopped_by_guard(StopReason.CANCELLED))
    if spec is None:
        raise ValueError("the run has not been opened")
    counters = State(session_id="", step=progress.step, depth=progress.depth, usage=progress.usage)
    tripped = spec.guards.check(counters, elapsed_s)
    if tripped is not None:
        return Finish(stopped_by_guard(tripped))
    return TakeStep(progress.step + 1)


def _within(calls: Calls, *, stop: bool) -> Move:
    todo = calls.runnable()
    if todo:
        return RunTools(todo)
    at = calls.waiting_at()
    if calls.busy or at is None:
        return Wait()
    return Finish(stopped_by_guard(StopReason.CANCELLED)) if stop else Pause(at)
