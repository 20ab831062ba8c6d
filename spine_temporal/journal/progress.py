"""Where a run is, in counters: all that the workflow holds of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from spine_core import Message, StopReason, Usage

from spine_temporal.contracts.delta import SpokenDelta, SpokenMessage, StateDelta
from spine_temporal.contracts.ending import AnswerFrom, Ending, EndOutcome
from spine_temporal.contracts.step import StepHead
from spine_temporal.contracts.tool import ToolHead
from spine_temporal.journal.batch import Batch
from spine_temporal.journal.delta import count

_HEAD_BYTES = 6


@dataclass(frozen=True, slots=True)
class Progress:
    """The workflow's view of a run, the same function of the same outcomes as the fold's view of it.

    It holds no transcript. `said` is the model's last text, kept because the kernel answers with it when a guard
    trips.
    """

    head: str = ""
    step: int = 0
    depth: int = 0
    usage: Usage = field(default_factory=Usage)
    said: str | None = None
    begun: bool = False
    batch: Batch | None = None
    ending: Ending | None = None
    answer: str | None = None


def advance(head: str, id_: str) -> str:
    """The fingerprint of everything that happened up to and including the outcome `id_`."""
    return blake2b(f"{head}/{id_}".encode(), digest_size=_HEAD_BYTES).hexdigest()


def after_step(progress: Progress, outcome: StepHead, *, parallel: bool) -> Progress:
    """Where the run is once a step is done."""
    progress = _entered(progress, outcome.id, outcome.delta, outcome.said, banked=outcome.usage)
    progress = replace(progress, begun=True, batch=None)
    if outcome.ending is not None:
        messages = outcome.delta.messages
        return concluded(progress, outcome.ending, last_message=messages[-1].content if messages else None)
    if outcome.calls:
        progress = replace(progress, batch=Batch(tuple(outcome.calls), parallel and len(outcome.calls) > 1))
    return progress


def after_tool(progress: Progress, index: int, outcome: ToolHead) -> tuple[Progress, list[int]]:
    """Where the run is once a tool call is done, with the calls whose results thereby entered the conversation.

    Raises:
        ValueError: the step has no such call.
    """
    if progress.batch is None or index >= len(progress.batch.calls):
        raise ValueError(f"the result of call {index} belongs to no call of this step")
    batch = progress.batch.with_result(index, outcome)
    entered = batch.ready()
    for each in (batch.results[position] for position in entered):
        progress = _entered(progress, each.id, each.delta, each.said)
        if each.ending is not None and progress.ending is None:
            progress = concluded(progress, each.ending)
    return replace(progress, batch=replace(batch, entered=batch.entered + len(entered))), entered


def after_end(progress: Progress, outcome: EndOutcome) -> Progress:
    """Where the run is once the `on_run_end` hooks have run."""
    progress = _entered(progress, outcome.id, outcome.delta, None)
    return concluded(progress, outcome.ending) if outcome.ending is not None else progress


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


def _entered(
    progress: Progress,
    id_: str,
    delta: SpokenDelta | StateDelta,
    said: str | None,
    *,
    banked: Usage | None = None,
) -> Progress:
    return replace(
        progress,
        head=advance(progress.head, id_),
        step=delta.fields.get("step", progress.step),
        depth=delta.fields.get("depth", progress.depth),
        usage=count(progress.usage, delta, banked=banked),
        said=_said(progress.said, delta.messages) if said is None else said or None,
    )


def _said(before: str | None, messages: Sequence[SpokenMessage | Message]) -> str | None:
    spoken = (message.content for message in reversed(messages) if message.role == "assistant" and message.content)
    return next(spoken, before)
