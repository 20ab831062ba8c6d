"""What comes next."""

from dataclasses import dataclass

from spine_core import State, StopReason

from spine_temporal.contracts.ending import Ending
from spine_temporal.contracts.opening import AgentSpec
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
class Finish:
    """The run is over."""

    ending: Ending


type Move = TakeStep | RunTools | Finish


def decide(progress: Progress, spec: AgentSpec, *, elapsed_s: float, stop: bool) -> Move:
    """The next move, in the kernel's order: finish what is planned, then cancel, then guards, then a step.

    `stop` says that somebody asked the run to stop at the next step boundary.
    """
    if progress.ending is not None:
        return Finish(progress.ending)
    if progress.batch is not None and not progress.batch.over:
        return RunTools(tuple(progress.batch.waiting()))
    if stop:
        return Finish(trip(StopReason.CANCELLED))
    counters = State(session_id="", step=progress.step, depth=progress.depth, usage=progress.usage)
    tripped = spec.guards.check(counters, elapsed_s)
    if tripped is not None:
        return Finish(trip(tripped))
    return TakeStep(progress.step + 1)
