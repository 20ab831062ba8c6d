"""Where a run stands, as its workflow says in lists."""

from typing import Final

from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.converter import DataConverter

from spine_temporal.contracts import names
from spine_temporal.contracts.base import load
from spine_temporal.contracts.turn import StatusRecord
from spine_temporal.history.event_reader import payload_bytes

OURS: Final = ("running", "paused", "idle")
"""What a run that Temporal calls running does: it works, waits for a person, waits for its next turn."""
SUSPENDED: Final = "suspended"
"""Somebody paused the workflow on the server; "paused" is what waits for a decision."""
GOING_ON: Final = (*OURS, SUSPENDED)

# The protocol's own enum: the SDK's has no name for a workflow that is paused, and raises when it meets one.
_TEMPORALS: Final = {
    number: name.removeprefix("WORKFLOW_EXECUTION_STATUS_").lower() for name, number in WorkflowExecutionStatus.items()
}


async def standing_in(info: WorkflowExecutionInfo, converter: DataConverter) -> StatusRecord | None:
    """What the memo says; None: it says nothing, as that of a run started by hand, or nothing that can be read."""
    written = info.memo.fields.get(names.STANDING_MEMO)
    if written is None:
        return None
    try:
        return load(StatusRecord, await payload_bytes(Payloads(payloads=[written]), converter))
    except Exception:  # noqa: BLE001 - anybody may write a memo, and a codec may raise anything
        return None


def status_of(info: WorkflowExecutionInfo, standing: StatusRecord | None) -> str:
    """One word for where the run is: of OURS, "suspended", or how it closed, as Temporal calls it."""
    word = _TEMPORALS.get(info.status, f"status {info.status}")
    if word == "paused":
        return SUSPENDED
    return standing.status if word == "running" and standing is not None else word
