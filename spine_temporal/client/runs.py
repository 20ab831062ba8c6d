"""The runs there are: listed, found by their ids."""

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from itertools import batched
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest, DescribeWorkflowExecutionResponse
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.client.indexed import Indexed, indexed
from spine_temporal.client.run import Run
from spine_temporal.client.run_filter import RunFilter
from spine_temporal.client.run_history import read_history
from spine_temporal.client.run_summary import RunList, RunSummary, UnreadRun, run_name, summary_of
from spine_temporal.client.server_errors import refuse_other_types
from spine_temporal.client.status import is_open, published_status, status_word
from spine_temporal.connection.search_attributes import look
from spine_temporal.connection.visibility import list_pages
from spine_temporal.contracts import names
from spine_temporal.contracts.status import StatusRecord
from spine_temporal.errors import RunNotFound
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


@dataclass(frozen=True, slots=True)
class _Other:
    """A run that was read, and is none of those that are asked for."""

    workflow_id: str


async def list_runs(client: Client, wanted: RunFilter, *, limit: int) -> RunList:
    """The `limit` newest of the runs that are asked for.

    What the server has an index for it selects; of the runs that it finds, pages are read until there are enough.
    A server that keeps its lists in SQL gives those that are open before those that are over, whatever their age.
    """
    query = wanted.query((await look(client)).there if wanted.narrow else ())
    found: list[RunSummary] = []
    unread: list[UnreadRun] = []
    read = 0
    async for page in list_pages(client, query, _PAGE if wanted.narrow else min(limit, _PAGE)):
        known = [(info, await published_status(info, client.data_converter), indexed(info)) for info in page]
        candidates = [each for each in known if wanted.may_fit(*each)]
        for some in batched(candidates, _AT_ONCE):
            read += len(some)
            for row, problem in await asyncio.gather(*(_row(client, wanted, *each) for each in some)):
                if isinstance(row, RunSummary):
                    found.append(row)
                if row is not None and problem:
                    unread.append(UnreadRun(id=run_name(row.workflow_id), problem=problem))
            if len(found) >= limit or read - len(found) >= _MOST_READ_IN_VAIN:
                return _newest(found, limit, unread, truncated=len(found) < limit)
    return _newest(found, limit, unread, truncated=False)


async def paused_runs(
    client: Client, *, agent: str | None, there: Collection[str]
) -> AsyncIterator[WorkflowExecutionInfo]:
    """The runs that wait for a decision. `there` are the search attributes that the server has."""
    wanted = RunFilter(agent=agent, status="paused")
    async for page in list_pages(client, wanted.query(there)):
        for info in page:
            if wanted.may_fit(info, await published_status(info, client.data_converter), indexed(info)):
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
        refuse_other_types(info)
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


async def _row(
    client: Client,
    wanted: RunFilter,
    info: WorkflowExecutionInfo,
    published: StatusRecord | None,
    known: Indexed | None,
) -> tuple[RunSummary | _Other | None, str]:
    execution = info.execution
    try:
        history = await read_history(client, execution.workflow_id, execution.run_id, most_events=_MOST_EVENTS)
    except RunNotFound:
        # It was deleted, or its retention ended, since the list was made.
        return None, ""
    row = summary_of(info, published, history)
    # By tenant and cost a run was chosen by what it had published: by now it may have spent more.
    tenant, cost_usd = (row.tenant, row.cost_usd) if known is None else (known.tenant, known.cost_usd)
    fits = wanted.fits(agent=row.agent, tenant=tenant, status=row.status, cost_usd=cost_usd)
    return row if fits else _Other(row.workflow_id), history.problem


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
