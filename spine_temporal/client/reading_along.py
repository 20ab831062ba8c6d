"""The text of an answer while the model writes it, from the heartbeats of its step."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from spine_core import EventType, TraceEvent
from temporalio.api.common.v1 import Payloads
from temporalio.client import Client

from spine_temporal.contracts import names
from spine_temporal.contracts.base import load
from spine_temporal.contracts.progress import Writing
from spine_temporal.history.event_id import EventId
from spine_temporal.history.follow import describe
from spine_temporal.history.payloads import payload_bytes

MODEL_CALL_NUMBER: Final = 1
"""The number of MODEL_CALL among the trace events of the event that scheduled a step; STEP_START has 0."""

type Identified = tuple[EventId, TraceEvent]


@dataclass(frozen=True, slots=True)
class Written:
    """What a step has written: by now, or in the end."""

    scheduled: int
    """By which event of its execution it was scheduled."""
    began: str
    """Under which run id that event came into being."""
    branch: str
    """Under which one what is written did."""
    step: int
    attempt: int
    call: int
    """How often the model was asked before, in that attempt."""
    text: str
    seq: int
    """The number of the first event that the step's end tells."""
    asked: int = 0
    first: bool = False
    """No trace event says that the step started before its end does."""
    streamed: bool = True
    """The provider gave it in pieces."""

    @property
    def id(self) -> EventId:
        """Of the token that ends where the text does."""
        return EventId(self.branch, self.scheduled, written=(self.attempt, self.call, len(self.text)))

    def is_same_step(self, id: EventId) -> bool:
        """Whether the token of that id is of this step; be it of what a reset took back of it."""
        return id.event == self.scheduled and id.execution in (self.began, self.branch)

    def is_same_call(self, id: EventId) -> bool:
        """Whether it came from the same call of the model."""
        return id.written is not None and (id.execution, *id.written[:2]) == (self.branch, self.attempt, self.call)


def identified(traced: Iterable[TraceEvent], branch: str, event: int, step: Written | None) -> Iterator[Identified]:
    """The trace events of a history event, each with its id; `step`: it ended that one."""
    for number, each in enumerate(traced):
        if step is not None and each.type in (EventType.STEP_START, EventType.MODEL_CALL):
            # Whoever reads along has had them before.
            early = 0 if each.type == EventType.STEP_START else MODEL_CALL_NUMBER
            yield EventId(step.began, step.scheduled, early), each
        else:
            yield EventId(branch, event, number), each


async def writing_of(client: Client, workflow_id: str, run_id: str, step: int) -> tuple[int, Writing] | None:
    """The attempt that takes a step, and what the model has written there; None: not known yet.

    Raises:
        RunNotFound: there is no such run.
        ServerUnreachable: the server was away for more than five minutes.
    """
    for pending in (await describe(client, workflow_id, run_id)).pending_activities:
        if pending.activity_type.name != names.STEP_ACTIVITY or pending.activity_id != str(step):
            continue
        details = pending.heartbeat_details.payloads
        # It stands first; of a beat without it, the progress does, which knows no such field.
        data = await payload_bytes(Payloads(payloads=details[:1]), client.data_converter) if details else b""
        return (pending.attempt, load(Writing, data)) if b'"written"' in data else None
    return None
