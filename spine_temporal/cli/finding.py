"""Runs found on the server: one by its id, the latest of them all."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    ListWorkflowExecutionsRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.cli.seen import Seen, see
from spine_temporal.client.run import Run
from spine_temporal.contracts import names
from spine_temporal.errors import NotAnAgentRun, RunNotFound

_PAGE: Final = 50
_ABSENT: Final = (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT)


async def find(client: Client, given: str) -> tuple[Run, Seen, DescribeWorkflowExecutionResponse]:
    """The run with the session id or, failing that, the workflow id `given`.

    Raises:
        RunNotFound: there is neither.
        NotAnAgentRun: the id belongs to another kind of workflow.
    """
    for workflow_id in (f"{names.WORKFLOW_ID_PREFIX}{given}", given):
        described = await _describe(client, workflow_id)
        if described is None:
            continue
        info = described.workflow_execution_info
        if info.type.name != names.AGENT_WORKFLOW:
            raise NotAnAgentRun(
                f"workflow {workflow_id!r} is a {info.type.name!r}, not a run of an agent; "
                f"`temporal workflow show -w {workflow_id}` shows it"
            )
        seen = await see(client, info)
        return Run(client, id=seen.id, workflow_id=workflow_id, run_id=seen.run_id), seen, described
    raise RunNotFound(
        f"no run {given!r} in namespace {client.namespace!r}; `spine-temporal list` shows the runs there are"
    )


async def latest(client: Client, *, agent: str | None, status: str | None, limit: int) -> list[Seen]:
    """The `limit` newest runs, newest first; of that agent, with that status of Temporal's."""
    found: list[Seen] = []
    async for seen in _newest_first(client, status, page=_PAGE if agent else min(limit, _PAGE)):
        if agent in (None, seen.agent):
            found.append(seen)
        if len(found) == limit:
            break
    return sorted(found, key=lambda seen: seen.started, reverse=True)


async def _newest_first(client: Client, status: str | None, *, page: int) -> AsyncIterator[Seen]:
    query = f"WorkflowType = '{names.AGENT_WORKFLOW}' AND ExecutionStatus != 'ContinuedAsNew'"
    if status is not None:
        query += f" AND ExecutionStatus = '{status.title().replace('_', '')}'"
    token = b""
    while True:
        answer = await client.workflow_service.list_workflow_executions(
            ListWorkflowExecutionsRequest(
                namespace=client.namespace, page_size=page, query=query, next_page_token=token
            )
        )
        for seen in await asyncio.gather(*(_seen(client, info) for info in answer.executions)):
            if seen is not None:
                yield seen
        token = answer.next_page_token
        if not token:
            return


async def _seen(client: Client, info: WorkflowExecutionInfo) -> Seen | None:
    try:
        return await see(client, info)
    except RPCError as error:
        if error.status in _ABSENT:
            # It was deleted, or its retention ended, since the list was made.
            return None
        raise


async def _describe(client: Client, workflow_id: str) -> DescribeWorkflowExecutionResponse | None:
    request = DescribeWorkflowExecutionRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
    )
    try:
        return await client.workflow_service.describe_workflow_execution(request)
    except RPCError as error:
        if error.status in _ABSENT:
            return None
        raise
