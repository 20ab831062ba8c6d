"""What comes next."""

from dataclasses import dataclass

from spine_core import State, StopReason

from spine_temporal.contracts.run_end import Ending
from spine_temporal.contracts.run_request import AgentSpec
from spine_temporal.journal.batch import Batch
from spine_temporal.journal.progress import Progress, trip


@dataclass(frozen=True, slots=True)
class TakeStep:
    """Ask the model."""

    step: int


@dataclass(frozen=True, slots=True)
class RunTools:
    """Run these calls of the step, all at once."""

    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Something is in flight, nothing else can be done meanwhile."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for a person; the call is the first of those that need one."""

    index: int


@dataclass(frozen=True, slots=True)
class Finish:
    """The turn is over."""

    ending: Ending


type Move = TakeStep | RunTools | Wait | Pause | Finish


def decide(
    progress: Progress, spec: AgentSpec, *, elapsed_s: float, stop: bool, in_flight: frozenset[int] = frozenset()
) -> Move:
    """The next move, in the kernel's order: finish what is planned, then cancel, then guards, then a step.

    `stop` says that somebody asked the run to stop at the next step boundary; a pause is one. `in_flight` are the
    calls of the step that are at work.
    """
    if progress.ending is not None:
        return Wait() if in_flight else Finish(progress.ending)
    if progress.batch is not None and not progress.batch.over:
        return _within(progress.batch, stop=stop, in_flight=in_flight)
    if stop:
        return Finish(trip(StopReason.CANCELLED))
    counters = State(session_id="", step=progress.step, depth=progress.depth, usage=progress.usage)
    tripped = spec.guards.check(counters, elapsed_s)
    if tripped is not None:
        return Finish(trip(tripped))
    return TakeStep(progress.step + 1)


def _within(batch: Batch, *, stop: bool, in_flight: frozenset[int]) -> Move:
    todo = tuple(index for index in batch.runnable() if index not in in_flight)
    if todo:
        return RunTools(todo)
    at = batch.stands_at()
    if in_flight or batch.busy_children() or at is None:
        return Wait()
    return Finish(trip(StopReason.CANCELLED)) if stop else Pause(at)
