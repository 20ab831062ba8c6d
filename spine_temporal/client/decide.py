"""A decision sent to the run that asks for it."""

import uuid
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.client.server_errors import refused_update, unreachable
from spine_temporal.contracts import names
from spine_temporal.contracts.approval import DecideRequest, Decision, DecisionReceipt
from spine_temporal.contracts.base import dump
from spine_temporal.contracts.json_form import as_json
from spine_temporal.contracts.limits import MAX_PAYLOAD_BYTES
from spine_temporal.errors import BadInput, DecisionRefused, InputTooLarge
from spine_temporal.payloads import pack, unpack


def request_of(decision: Any, call: str | None) -> DecideRequest:
    """The request that `decision` makes.

    Raises:
        BadInput: it cannot be written as JSON, or is too large (`InputTooLarge`).
    """
    try:
        if isinstance(decision, Decision):
            request = DecideRequest(call=call, decision=_spelled_out(decision))
        else:
            request = DecideRequest(call=call, answer=as_json(decision))
        size_bytes = len(dump(request))
    except (PydanticSerializationError, ValidationError, ValueError) as error:
        raise BadInput(
            f"a decision is a word, a truth value, JSON or a Decision; {decision!r} is none: {error}"
        ) from None
    if size_bytes > MAX_PAYLOAD_BYTES:
        raise InputTooLarge(f"the decision has {size_bytes:,} bytes, a Temporal payload holds {MAX_PAYLOAD_BYTES:,}")
    return request


def _spelled_out(decision: Decision) -> Decision:
    """The decision with its approval written down, unless it carries a value: on the wire, nothing is implied."""
    return decision if decision.has_value else decision.model_copy(update={"approve": decision.approve})


async def decide(client: Client, workflow_id: str, request: DecideRequest, id_: str | None) -> DecisionReceipt:
    """Send the decision, wait until the workflow has taken it; while no worker is there, that is until one is.

    Raises:
        DecisionRefused: the workflow does not take it, or is over.
        ServerUnreachable: no server answers.
    """
    handle = client.get_workflow_handle(workflow_id)
    try:
        taken = await handle.execute_update(
            names.DECIDE_UPDATE, pack(request), id=id_ or uuid.uuid4().hex, result_type=RawValue
        )
    except WorkflowUpdateFailedError as error:
        raise refused_update(error) from None
    except RPCError as error:
        if error.status is RPCStatusCode.UNAVAILABLE:
            raise unreachable(client, error) from error
        if error.status is RPCStatusCode.NOT_FOUND:
            raise DecisionRefused(
                f"run {workflow_id!r} is over, or was never there: nothing waits for a decision"
            ) from None
        raise
    return unpack(DecisionReceipt, taken)
