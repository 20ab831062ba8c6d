"""The holder of a session, as its history tells."""

from dataclasses import dataclass

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.common import RawValue

from spine_temporal.checkpoint.chain import Chain
from spine_temporal.checkpoint.tombstone import deletes, events_of, type_of
from spine_temporal.contracts import names
from spine_temporal.contracts.checkpoint import CheckpointRecord
from spine_temporal.errors import NotAnAgentRun
from spine_temporal.history.follow import CLOSING
from spine_temporal.history.payloads import at_s
from spine_temporal.payloads import unpack


@dataclass(slots=True)
class Holder:
    """What the history of a holder says."""

    chain: Chain
    run_id: str | None = None
    """None: it is closed."""
    deleted_s: float = 0.0


async def read_holder(client: Client, workflow_id: str) -> Holder:
    """The puts that the holder's latest execution has recorded; one without any when there is no such workflow.

    Raises:
        NotAnAgentRun: the id belongs to a workflow of another type.
    """
    holder = Holder(Chain())
    events = await events_of(client, workflow_id)
    if not events:
        return holder
    if (type_ := type_of(events)) != names.CHECKPOINT_WORKFLOW:
        raise NotAnAgentRun(
            f"workflow {workflow_id!r} is a {type_!r}, not a checkpoint ({names.CHECKPOINT_WORKFLOW!r}); "
            "the session needs another id"
        )
    for event in events:
        await _add(holder.chain, event, client)
    if events[-1].event_type not in CLOSING:
        holder.run_id = events[0].workflow_execution_started_event_attributes.original_execution_run_id
    elif deletes(events[-1]):
        holder.deleted_s = at_s(events[-1])
    return holder


async def _add(chain: Chain, event: HistoryEvent, client: Client) -> None:
    signaled = event.workflow_execution_signaled_event_attributes
    if signaled.signal_name == names.PUT_SIGNAL:
        head, body = await client.data_converter.decode(signaled.input.payloads, [RawValue, RawValue])
        chain.add(unpack(CheckpointRecord, head), bytes(body.payload.data), at_s(event))
