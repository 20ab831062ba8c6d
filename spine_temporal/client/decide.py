"""A decision sent to the run that asks for it."""

import uuid
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError
from temporalio.client import Client

from spine_temporal.client.request_size import check_size
from spine_temporal.client.updates import RunOver, send_update
from spine_temporal.contracts import names
from spine_temporal.contracts.approval import DecideRequest, Decision, DecisionReceipt
from spine_temporal.contracts.base import dump
from spine_temporal.contracts.json_form import as_json
from spine_temporal.errors import BadInput, DecisionRefused
from spine_temporal.payloads import pack, unpack


async def request_of(decision: Any, call: str | None, client: Client) -> DecideRequest:
    """The request that `decision` makes.

    Raises:
        BadInput: it cannot be written as JSON, or is too large (`InputTooLarge`).
    """
    try:
        if isinstance(decision, Decision):
            request = DecideRequest(call=call, decision=_spelled_out(decision))
        else:
            request = DecideRequest(call=call, answer=as_json(decision))
        dump(request)
    except (PydanticSerializationError, ValidationError, ValueError) as error:
        raise BadInput(
            f"a decision is a word, a truth value, JSON or a Decision; {decision!r} is none: {error}"
        ) from None
    await check_size(request, "the decision", client)
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
    try:
        _, taken = await send_update(client, workflow_id, names.DECIDE_UPDATE, pack(request), id_ or uuid.uuid4().hex)
    except RunOver:
        raise DecisionRefused(
            f"run {workflow_id!r} is over, or was never there: nothing waits for a decision"
        ) from None
    # Of an id that it knows, the server answers as before, without asking the workflow.
    return of_same_call(unpack(DecisionReceipt, taken), request, workflow_id)


def of_same_call(receipt: DecisionReceipt, request: DecideRequest, workflow_id: str) -> DecisionReceipt:
    """The receipt that a decision of that id got before, for who sends it again.

    Raises:
        DecisionRefused: it names another call by now.
    """
    named = request.named
    if named is not None and {named, named.rpartition("/")[2]}.isdisjoint((receipt.call_id, receipt.position)):
        raise DecisionRefused(
            f"run {workflow_id!r}: the id of this decision was used for call {receipt.call_id!r} "
            f"({receipt.position}); another call needs an id of its own"
        )
    return receipt
