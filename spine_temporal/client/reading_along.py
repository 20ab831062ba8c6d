"""The text of an answer while the model writes it, from the heartbeats of its step."""

from dataclasses import dataclass

from temporalio.api.common.v1 import Payloads
from temporalio.client import Client

from spine_temporal.contracts import names
from spine_temporal.contracts.base import load
from spine_temporal.contracts.progress import Writing
from spine_temporal.history.follow import describe
from spine_temporal.history.payloads import payload_bytes


@dataclass(frozen=True, slots=True)
class Written:
    """What a step has written: by now, or in the end."""

    step_id: str
    """Which execution scheduled it, by which of its events."""
    step: int
    attempt: int
    call: int
    """How often the model was asked before, in that attempt."""
    text: str
    seq: int
    """The number of the first event that the step's end tells."""
    asked: int = 0
    first: bool = False
    """The step's start is not told before its end."""
    streamed: bool = True
    """The provider gave it in pieces."""

    @property
    def call_id(self) -> tuple[str, int, int]:
        """Which call of the model wrote it."""
        return self.step_id, self.attempt, self.call


async def writing_of(client: Client, workflow_id: str, run_id: str, step: int) -> tuple[int, Writing] | None:
    """The attempt that takes a step, and what the model has written there; None: nobody has said so yet.

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
