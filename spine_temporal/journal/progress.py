"""Where a run is, in counters: all that the workflow holds of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from spine_core import Message, StopReason, Usage

from spine_temporal.contracts.run_end import AnswerFrom, Ending, EndOutcome
from spine_temporal.contracts.state_delta import DeltaSummary, MessageSummary, StateDelta
from spine_temporal.contracts.step import StepBase
from spine_temporal.contracts.tool_call import ToolBase, ToolInput
from spine_temporal.contracts.turn import StatusRecord
from spine_temporal.journal.batch import Batch
from spine_temporal.journal.state_delta import count

_HEAD_BYTES = 6


@dataclass(frozen=True, slots=True)
class Progress:
    """The workflow's view of a run, the same function of the same outcomes as the fold's view of it.

    It holds no transcript. `said` is the model's last text, kept because the kernel answers with it when a guard
    trips. Each field has a default, and keeps it: a conversation that another version began is gone on with.
    """

    head: str = ""
    last: str = ""
    """What made the head: the id of an outcome, or of what stands in a history without one."""
    step: int = 0
    depth: int = 0
    usage: Usage = field(default_factory=Usage)
    said: str | None = None
    begun: bool = False
    """`on_run_start` has run since the turn began or went on."""
    batch: Batch | None = None
    ending: Ending | None = None
    """How the turn ended, or that it is paused (`StopReason.INTERRUPT`)."""
    answer: str | None = None
    turn: int = 1
    standings: int = 0
    transfer: str | None = None
    """The member of the team that the conversation was handed to in this turn."""

    @property
    def paused(self) -> bool:
        """It waits for a person."""
        return self.ending is not None and self.ending.reason is StopReason.INTERRUPT

    def with_batch(self, batch: Batch) -> "Progress":
        """It with that batch."""
        return replace(self, batch=batch)


def advance(head: str, id_: str) -> str:
    """The fingerprint of everything that happened up to and including the outcome `id_`."""
    return blake2b(f"{head}/{id_}".encode(), digest_size=_HEAD_BYTES).hexdigest()


def moved(progress: Progress, id_: str) -> Progress:
    """`progress` with its head moved on by what `id_` names."""
    return replace(progress, head=advance(progress.head, id_), last=id_)


def after_step(progress: Progress, outcome: StepBase, *, parallel: bool) -> Progress:
    """Where the run is once a step is done."""
    progress = _entered(progress, outcome.id, outcome.delta, outcome.said, banked=outcome.usage)
    progress = replace(progress, begun=True, batch=None)
    if outcome.ending is not None:
        messages = outcome.delta.messages
        return concluded(progress, outcome.ending, last_message=messages[-1].content if messages else None)
    if outcome.calls:
        progress = replace(progress, batch=Batch(tuple(outcome.calls), parallel))
    return progress


def after_tool_begun(progress: Progress, task: ToolInput) -> Progress:
    """Where the run is once a tool call was scheduled."""
    if progress.batch is None or task.after is None:
        return progress
    progress = moved(progress, gone_on(task.step, task.index, task.after))
    return replace(progress, batch=progress.batch and progress.batch.begun(task.index, task.after))


def gone_on(step: int, index: int, after: str) -> str:
    """The name of a call's going on, which moves the head."""
    return f"{step}.{index} {after}"


def after_tool(progress: Progress, index: int, outcome: ToolBase) -> tuple[Progress, list[int]]:
    """Where the run is once a tool call has an outcome, with the calls whose outcomes thereby entered it.

    Raises:
        ValueError: the step has no such call.
    """
    if progress.batch is None or index >= len(progress.batch.calls):
        raise ValueError(f"the result of call {index} belongs to no call of this step")
    batch = progress.batch.with_outcome(index, outcome)
    entered = batch.ready(index)
    for each in (each for position in entered for each in batch.outcomes.get(position, ())):
        spent = each.spent if each.spent != Usage() else None
        progress = _entered(progress, each.id, each.delta, each.said, banked=spent)
        progress = replace(progress, transfer=each.transfer or progress.transfer)
        if each.ending is not None and progress.ending is None:
            progress = concluded(progress, each.ending)
    return replace(progress, begun=True, batch=batch.with_entered(entered)), entered


def after_end(progress: Progress, outcome: EndOutcome) -> Progress:
    """Where the run is once the `on_run_end` hooks have run."""
    progress = replace(_entered(progress, outcome.id, outcome.delta, None), begun=True)
    if outcome.ending is None:
        return progress
    if progress.paused and outcome.ending.reason is StopReason.INTERRUPT:
        return replace(progress, answer=outcome.ending.answer)
    return concluded(progress, outcome.ending)


def after_standing(progress: Progress, standing: StatusRecord) -> Progress:
    """Where the run is once its workflow said where it stands; what is no news changes nothing."""
    if standing.number <= progress.standings:
        return progress
    progress = replace(moved(progress, f"standing {standing.number}"), standings=standing.number)
    if standing.status != "running":
        ending = standing.ending
        return concluded(progress, ending) if ending is not None and not _ended(progress, ending) else progress
    progress = replace(progress, ending=None, answer=None, begun=False)
    if standing.turn > progress.turn:
        progress = replace(progress, turn=standing.turn, batch=None, transfer=None)
    return progress


def concluded(progress: Progress, ending: Ending, *, last_message: str | None = None) -> Progress:
    """`progress` with its ending, and the answer looked up where the ending says it stands."""
    answer = {
        AnswerFrom.HERE: ending.answer,
        AnswerFrom.LAST_MESSAGE: last_message,
        AnswerFrom.LAST_TEXT: progress.said,
    }[ending.answer_from]
    return replace(progress, ending=ending, answer=answer)


def trip(reason: StopReason) -> Ending:
    """The ending of a run that a guard, or its caller, stopped between two steps."""
    return Ending(reason=reason, answer_from=AnswerFrom.LAST_TEXT, event="guard_trip")


def pause() -> Ending:
    """The ending of a run that waits for a person, which is none."""
    return Ending(reason=StopReason.INTERRUPT, event="interrupt")


def _ended(progress: Progress, ending: Ending) -> bool:
    return progress.ending is not None and (not progress.paused or ending.reason is StopReason.INTERRUPT)


def _entered(
    progress: Progress,
    id_: str,
    delta: DeltaSummary | StateDelta,
    said: str | None,
    *,
    banked: Usage | None = None,
) -> Progress:
    return replace(
        moved(progress, id_),
        step=delta.fields.get("step", progress.step),
        depth=delta.fields.get("depth", progress.depth),
        usage=count(progress.usage, delta, banked=banked),
        said=_said(progress.said, delta.messages) if said is None else said or None,
    )


def _said(before: str | None, messages: Sequence[MessageSummary | Message]) -> str | None:
    spoken = (message.content for message in reversed(messages) if message.role == "assistant" and message.content)
    return next(spoken, before)
