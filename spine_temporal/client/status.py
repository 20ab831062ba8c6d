"""The status of a run, in one word."""

from typing import Final

from spine_core import StopReason
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.converter import DataConverter

from spine_temporal.client.indexed import indexed_status
from spine_temporal.contracts import names
from spine_temporal.contracts.base import load
from spine_temporal.contracts.status import StatusRecord
from spine_temporal.errors import PayloadUnreadable
from spine_temporal.history.payloads import payload_bytes

PUBLISHED: Final = ("running", "paused", "idle")
"""What a workflow publishes of a run that is open: it works, waits for a person, waits for its next turn."""
SUSPENDED: Final = "suspended"
"""Somebody paused the workflow on the server; "paused" is what waits for a decision."""
FAILED: Final = "failed"
"""Its workflow failed, or its last turn ended with an error, whether or not it is open for the next one."""

_OPEN: Final = ("running", "paused")
# The protocol's own enum: the SDK's has no name for a workflow that is paused, and raises when it meets one.
_BY_SERVER: Final = {
    number: name.removeprefix("WORKFLOW_EXECUTION_STATUS_").lower() for name, number in WorkflowExecutionStatus.items()
}


async def published_status(info: WorkflowExecutionInfo, converter: DataConverter) -> StatusRecord | None:
    """What the workflow's memo says of the run; None: nothing, as of a run started by hand, or nothing readable."""
    written = info.memo.fields.get(names.STATUS_MEMO)
    if written is None:
        return None
    try:
        return load(StatusRecord, await payload_bytes(Payloads(payloads=[written]), converter))
    except Exception:  # noqa: BLE001 - anybody may write a memo, and a codec may raise anything
        return None


async def unreadable_status(info: WorkflowExecutionInfo, converter: DataConverter) -> str | None:
    """Why what the workflow's memo says cannot be decoded here; None: it can, or it says nothing."""
    written = info.memo.fields.get(names.STATUS_MEMO)
    if written is None:
        return None
    try:
        await payload_bytes(Payloads(payloads=[written]), converter)
    except PayloadUnreadable as error:
        return str(error)
    return None


def may_be_any(info: WorkflowExecutionInfo, published: StatusRecord | None) -> bool:
    """Whether a run that goes on has published a status that cannot be read here."""
    hidden = published is None and names.STATUS_MEMO in info.memo.fields
    return hidden and _server_word(info) == "running" and indexed_status(info) is None


def is_open(info: WorkflowExecutionInfo) -> bool:
    """Whether its workflow has not ended."""
    return _server_word(info) in _OPEN


def status_word(info: WorkflowExecutionInfo, published: StatusRecord | None, reason: StopReason | None = None) -> str:
    """One of PUBLISHED, "suspended", "failed", or how the workflow closed, as Temporal calls it.

    `reason` is why the run's last turn stopped, where that is known.
    """
    word = _server_word(info)
    if word == "paused":
        return SUSPENDED
    if word == "running":
        # Where the memo cannot be read, as without its keys, the attribute says the same: it is never encrypted.
        word = published.status if published is not None else indexed_status(info) or word
    return FAILED if word in ("idle", "completed") and reason is StopReason.ERROR else word


def _server_word(info: WorkflowExecutionInfo) -> str:
    return _BY_SERVER.get(info.status, f"status {info.status}")
