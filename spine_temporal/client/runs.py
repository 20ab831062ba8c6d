"""The runs there are: listed, found by their ids."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import batched
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest, DescribeWorkflowExecutionResponse
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.client.run import Run
from spine_temporal.client.run_history import read_history
from spine_temporal.client.run_summary import RunList, RunSummary, UnreadRun, run_name, summary_of
from spine_temporal.client.status import FAILED, PUBLISHED, SUSPENDED, is_open, published_status, status_word
from spine_temporal.connection.search_attributes import missing
from spine_temporal.connection.visibility import equals, list_pages
from spine_temporal.contracts import names
from spine_temporal.contracts.status import StatusRecord
from spine_temporal.errors import NotAnAgentRun, RunNotFound
from spine_temporal.format import shortened

# Read side by side: so many histories are in memory at once.
_AT_ONCE: Final = 20
_WIDEST_ID: Final = 100
_PAGE: Final = 50
# About 1 s of reading for one row; whoever has more shows what is known without.
_MOST_EVENTS: Final = 5_000
# Which run ended with an error stands in its history only: so many are read to find those that did.
_MOST_READ_IN_VAIN: Final = 1_000


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run, as the server describes it."""

    run: Run
    described: DescribeWorkflowExecutionResponse
    published: StatusRecord | None

    @property
    def info(self) -> WorkflowExecutionInfo:
        """Of its latest execution."""
        return self.described.workflow_execution_info

    @property
    def status(self) -> str:
        """As far as it is known without the history: of a run that is idle or completed, not whether it failed."""
        return status_word(self.info, self.published)

    @property
    def open(self) -> bool:
        """Whether its workflow has not ended."""
        return is_open(self.info)

    @property
    def task_queue(self) -> str:
        """Where its workers poll."""
        return self.info.task_queue


async def list_runs(client: Client, *, agent: str | None, status: str | None, limit: int) -> RunList:
    """The `limit` newest runs; of that agent, with that status.

    A server that keeps its lists in SQL gives those that are open before those that are over, whatever their age.
    """
    narrow = agent is not None or status in (*PUBLISHED, FAILED)
    query = _query(agent, status, indexed=narrow and not await missing(client))
    found: list[RunSummary] = []
    unread: list[UnreadRun] = []
    read = 0
    async for page in list_pages(client, query, _PAGE if narrow else min(limit, _PAGE)):
        candidates = [info for info in page if await _may_fit(client, info, agent, status)]
        for some in batched(candidates, _AT_ONCE):
            read += len(some)
            for row, problem in await asyncio.gather(*(_row(client, info) for info in some)):
                if row is not None and agent in (None, row.agent) and status in (None, row.status):
                    found.append(row)
                if row is not None and problem:
                    unread.append(UnreadRun(id=row.id, problem=problem))
            if len(found) >= limit or read - len(found) >= _MOST_READ_IN_VAIN:
                return _newest(found, limit, unread, truncated=len(found) < limit)
    return _newest(found, limit, unread, truncated=False)


async def paused_runs(client: Client, *, agent: str | None, indexed: bool) -> AsyncIterator[WorkflowExecutionInfo]:
    """The runs that wait for a decision. `indexed` says that the server has our search attributes."""
    async for page in list_pages(client, _query(agent, "paused", indexed=indexed)):
        for info in page:
            if await _may_fit(client, info, agent, "paused"):
                yield info


async def find_run(client: Client, given: str) -> FoundRun:
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
        published = await published_status(info, client.data_converter)
        session = published.session_id if published is not None else run_name(workflow_id)
        run = Run(client, id=session, workflow_id=workflow_id, run_id=info.execution.run_id)
        return FoundRun(run, described, published)
    shown = shortened(given, _WIDEST_ID)
    raise RunNotFound(
        f"no run {shown!r} in namespace {client.namespace!r}; `spine-temporal list` shows the runs there are"
    )


def _newest(found: list[RunSummary], limit: int, unread: list[UnreadRun], *, truncated: bool) -> RunList:
    newest = sorted(found, key=lambda row: row.started, reverse=True)[:limit]
    return RunList(runs=tuple(newest), unread=tuple(unread), truncated=truncated)


def _query(agent: str | None, status: str | None, *, indexed: bool) -> str:
    parts = [equals("WorkflowType", names.AGENT_WORKFLOW), "ExecutionStatus != 'ContinuedAsNew'"]
    if status in PUBLISHED:
        parts.append("ExecutionStatus = 'Running'")
    elif status == FAILED:
        idle = f" AND {_published('idle')}" if indexed else ""
        parts.append(f"(ExecutionStatus IN ('Completed', 'Failed') OR (ExecutionStatus = 'Running'{idle}))")
    elif status is not None:
        word = "Paused" if status == SUSPENDED else status.title().replace("_", "")
        parts.append(f"ExecutionStatus = '{word}'")
    if indexed and status in PUBLISHED:
        parts.append(_published(status))
    of_agent = equals(names.AGENT_ATTRIBUTE, agent) if indexed and agent is not None else None
    if of_agent is not None:
        parts.append(f"({of_agent} OR {names.AGENT_ATTRIBUTE} IS NULL)")
    return " AND ".join(filter(None, parts))


def _published(status: str) -> str:
    # A run that has not stopped yet, or began when the server had no such attribute, has none: its memo is looked at.
    return f"({names.STATUS_ATTRIBUTE} = '{status}' OR {names.STATUS_ATTRIBUTE} IS NULL)"


async def _may_fit(client: Client, info: WorkflowExecutionInfo, agent: str | None, status: str | None) -> bool:
    """Whether the memo does not speak against it; of a run without one, the agent shows when its history is read."""
    published = await published_status(info, client.data_converter)
    if agent is not None and published is not None and published.agent != agent:
        return False
    word = status_word(info, published)
    return status in (None, word) or (status == FAILED and word in ("idle", "completed"))


async def _row(client: Client, info: WorkflowExecutionInfo) -> tuple[RunSummary | None, str]:
    execution = info.execution
    try:
        history = await read_history(client, execution.workflow_id, execution.run_id, most_events=_MOST_EVENTS)
    except RunNotFound:
        # It was deleted, or its retention ended, since the list was made.
        return None, ""
    published = await published_status(info, client.data_converter)
    return summary_of(info, published, history), history.problem


async def _describe(client: Client, workflow_id: str) -> DescribeWorkflowExecutionResponse | None:
    request = DescribeWorkflowExecutionRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
    )
    try:
        return await client.workflow_service.describe_workflow_execution(request)
    except RPCError as error:
        # INVALID_ARGUMENT: an id longer than any workflow may have.
        if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
            return None
        raise
