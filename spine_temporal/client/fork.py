"""A new run from the middle of another one."""

import uuid
from dataclasses import dataclass

from temporalio.client import Client
from temporalio.common import Priority

from spine_temporal.client.request_size import check_size
from spine_temporal.client.sessions import SessionStarter
from spine_temporal.client.tracing import starting
from spine_temporal.contracts.base import load
from spine_temporal.contracts.continuation import RestorePoint
from spine_temporal.contracts.run_request import RunRequest
from spine_temporal.errors import BadInput
from spine_temporal.given import session_name, user_input
from spine_temporal.history.follow import first_event, latest_run_id
from spine_temporal.history.payloads import payload_bytes
from spine_temporal.history.restore_points import ledger_at


@dataclass(frozen=True, slots=True)
class Forked:
    """Where the new run is."""

    id: str
    workflow_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class ForkPlace:
    """Where it begins: after a step of the workflow of a session."""

    workflow_id: str
    session_id: str
    step: int


async def fork(
    client: Client, place: ForkPlace, *, input: str | None, session_id: str | None, tokens_every_s: float | None = None
) -> Forked:
    """Start the run that begins as another one was at that place.

    Raises:
        BadInput: the step was never taken, or is not over; or there is a session of that id; or the input is too large
            (`InputTooLarge`).
        RunNotFound: there is no such run, or its history is gone.
    """
    workflow_id, step = place.workflow_id, place.step
    prefix = workflow_id.removesuffix(place.session_id)
    text = None if input is None else user_input("a fork", input, otherwise="; None goes on without it")
    named = session_name(session_id, prefix)
    if not isinstance(step, int) or step < 0:
        raise BadInput(f"there is no step {step!r}; steps count from 1, and 0 is before the first")
    origin = RestorePoint(workflow_id=workflow_id, run_id=await latest_run_id(client, workflow_id), step=step)
    if await ledger_at(client, origin) is None:
        raise BadInput(f"run {workflow_id!r} was deleted")
    started = (await first_event(client, workflow_id, origin.run_id)).workflow_execution_started_event_attributes
    before = load(RunRequest, await payload_bytes(started.input, client.data_converter))
    session = named or uuid.uuid4().hex
    request = RunRequest(
        agent=before.agent,
        input=text,
        session_id=session,
        session_ttl_s=before.session_ttl_s if named else 0.0,
        tenant_id=before.tenant_id,
        ui_text=before.ui_text,
        approval=before.approval,
        step_policy=before.step_policy,
        tool_policy=before.tool_policy,
        origin=origin,
        tokens_every_s=tokens_every_s,
    )
    await check_size(request, "the input", client)
    there = f"{prefix}{session}"
    inherited = started.priority
    priority = Priority(
        priority_key=inherited.priority_key or None,
        fairness_key=inherited.fairness_key or None,
        fairness_weight=inherited.fairness_weight or None,
    )
    with starting(before.agent, session) as trace:
        request = request.model_copy(update={"trace": trace})
        run_id = await SessionStarter(client, started.task_queue.name, priority).start(there, request)
    if run_id is None:
        raise BadInput(f"there is a session {session!r} already; a fork needs an id of its own")
    return Forked(session, there, run_id)
