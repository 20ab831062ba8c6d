"""Starts the workflow of a run, with what lists show of it before any worker has it."""

from datetime import timedelta
from time import monotonic as now_s
from typing import Any, Final
from weakref import WeakKeyDictionary

from temporalio.client import Client
from temporalio.common import (
    Priority,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.connection.server_version import server_version
from spine_temporal.contracts import names
from spine_temporal.contracts.policies import WORKER_SILENCE_S
from spine_temporal.contracts.run_request import RunRequest
from spine_temporal.contracts.search_attributes import at_start
from spine_temporal.contracts.status import StatusRecord
from spine_temporal.format import many, summary
from spine_temporal.payloads import pack

_TRY_AGAIN_S: Final = 60.0
_refused_s: Final[WeakKeyDictionary[Client, float]] = WeakKeyDictionary()
"""When a server last took a run without its search attributes only."""


async def begin_run(
    client: Client,
    workflow_id: str,
    request: RunRequest,
    *,
    task_queue: str,
    reuse: WorkflowIDReusePolicy,
    priority: Priority,
) -> str | None:
    """Start it; the id of its first execution.

    A server that lacks one of our search attributes refuses all: the run is started without, and sets itself those that
    its worker finds. After a minute they are tried again, for somebody may have created them.

    Raises:
        temporalio.exceptions.WorkflowAlreadyStartedError: there is one of that id.
        temporalio.service.RPCError: the server refuses, or is away.
    """
    options: dict[str, Any] = {
        "id": workflow_id,
        "task_queue": task_queue,
        "id_reuse_policy": reuse,
        "id_conflict_policy": WorkflowIDConflictPolicy.FAIL,
        "task_timeout": timedelta(seconds=WORKER_SILENCE_S),
        "static_summary": _summary(request),
        "static_details": _details(request),
        "priority": priority,
        "memo": {names.STATUS_MEMO: pack(StatusRecord(agent=request.agent, session_id=str(request.session_id)))},
    }
    attributes = await _attributes(client, request)
    try:
        handle = await client.start_workflow(
            names.AGENT_WORKFLOW, pack(request), search_attributes=attributes, **options
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.INVALID_ARGUMENT or not attributes.search_attributes:
            raise
        handle = await client.start_workflow(names.AGENT_WORKFLOW, pack(request), **options)
        _refused_s[client] = now_s()
    return handle.first_execution_run_id


async def _attributes(client: Client, request: RunRequest) -> TypedSearchAttributes:
    refused_s = _refused_s.get(client)
    # The time-skipping test server takes a run with attributes that it lacks, and loses it.
    if (refused_s is not None and now_s() - refused_s < _TRY_AGAIN_S) or not await server_version(client):
        return TypedSearchAttributes.empty
    values = at_start(request.agent, str(request.session_id), request.tenant_id)
    return TypedSearchAttributes([_pair(name, value) for name, value in values.items()])


def _pair(name: str, value: str | int) -> SearchAttributePair[Any]:
    if isinstance(value, int):
        return SearchAttributePair(SearchAttributeKey.for_int(name), value)
    return SearchAttributePair(SearchAttributeKey.for_keyword(name), value)


def _summary(request: RunRequest) -> str:
    """What Temporal's own UI shows of the run in its lists."""
    words = f" · {request.input}" if request.ui_text and request.input else ""
    return summary(f"{request.agent}{words}")


def _details(request: RunRequest) -> str:
    """What it shows of how the run began."""
    lines = [f"agent {request.agent}, session {request.session_id}"]
    if request.input is not None:
        lines.append(f"begins with {many(len(request.input), 'character')} of input")
    if request.origin is not None:
        lines.append(f"goes on from {request.origin.workflow_id}, run {request.origin.run_id}")
    return "  \n".join(lines)
