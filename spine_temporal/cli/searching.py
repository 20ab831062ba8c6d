"""Runs looked for by what they are doing."""

import asyncio
from collections.abc import AsyncIterator
from itertools import batched
from typing import Final

from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import Client
from temporalio.service import RPCError

from spine_temporal.cli.finding import ABSENT
from spine_temporal.cli.seen import Seen, see
from spine_temporal.cli.standing import OURS, SUSPENDED, standing_in, status_of
from spine_temporal.connection.search_attributes import missing
from spine_temporal.contracts import names

_PAGE: Final = 50
_LARGEST_PAGE: Final = 1000


async def latest(client: Client, *, agent: str | None, status: str | None, limit: int) -> list[Seen]:
    """The `limit` newest runs, newest first; of that agent, with that status.

    A server that keeps its lists in SQL gives those that go on before those that are over, whatever their age.
    """
    indexed = (agent is not None or status in OURS) and not await missing(client)
    page = _PAGE if agent or status in OURS else min(limit, _PAGE)
    found: list[Seen] = []
    async for infos in _pages(client, _query(agent, status, indexed=indexed), page):
        fitting = [info for info in infos if await _may_fit(client, info, agent, status)]
        for some in batched(fitting, min(limit, _PAGE)):
            looked_at = await asyncio.gather(*(_seen(client, info) for info in some))
            found += [seen for seen in looked_at if seen is not None and agent in (None, seen.agent)]
            if len(found) >= limit:
                break
        if len(found) >= limit:
            break
    return sorted(found, key=lambda seen: seen.started, reverse=True)[:limit]


async def paused(client: Client, *, agent: str | None, indexed: bool) -> AsyncIterator[list[WorkflowExecutionInfo]]:
    """The runs that wait for a decision, page by page. `indexed` says that the server has our search attributes."""
    async for infos in _pages(client, _query(agent, "paused", indexed=indexed), _LARGEST_PAGE):
        yield [info for info in infos if await _may_fit(client, info, agent, "paused")]


def _query(agent: str | None, status: str | None, *, indexed: bool) -> str:
    parts = [f"WorkflowType = '{names.AGENT_WORKFLOW}'", "ExecutionStatus != 'ContinuedAsNew'"]
    if status in OURS:
        parts.append("ExecutionStatus = 'Running'")
    elif status is not None:
        word = "Paused" if status == SUSPENDED else status.title().replace("_", "")
        parts.append(f"ExecutionStatus = '{word}'")
    # A run that has not stopped yet, or began when the server had no such attribute, has none: its memo is looked at.
    if indexed and status in OURS:
        parts.append(f"({names.STATUS_ATTRIBUTE} = '{status}' OR {names.STATUS_ATTRIBUTE} IS NULL)")
    if indexed and agent is not None and not {"'", "\\"} & set(agent):
        parts.append(f"({names.AGENT_ATTRIBUTE} = '{agent}' OR {names.AGENT_ATTRIBUTE} IS NULL)")
    return " AND ".join(parts)


async def _may_fit(client: Client, info: WorkflowExecutionInfo, agent: str | None, status: str | None) -> bool:
    """Whether the memo does not speak against it; of a run without one, the agent shows when its history is read."""
    standing = await standing_in(info, client.data_converter)
    return (agent is None or standing is None or standing.agent == agent) and (
        status is None or status_of(info, standing) == status
    )


async def _pages(client: Client, query: str, size: int) -> AsyncIterator[list[WorkflowExecutionInfo]]:
    token = b""
    while True:
        answer = await client.workflow_service.list_workflow_executions(
            ListWorkflowExecutionsRequest(
                namespace=client.namespace, page_size=size, query=query, next_page_token=token
            )
        )
        yield list(answer.executions)
        token = answer.next_page_token
        if not token:
            return


async def _seen(client: Client, info: WorkflowExecutionInfo) -> Seen | None:
    try:
        return await see(client, info)
    except RPCError as error:
        if error.status in ABSENT:
            # It was deleted, or its retention ended, since the list was made.
            return None
        raise
