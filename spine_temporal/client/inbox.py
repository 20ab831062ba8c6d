"""What waits for a person, in all runs."""

import asyncio
from datetime import UTC, datetime
from typing import Final

from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.client import Client

from spine_temporal.client.approvals import Approval, approvals_in
from spine_temporal.client.read_model import ReadModel
from spine_temporal.client.run_history import problem_of
from spine_temporal.client.run_summary import UnreadRun, run_name
from spine_temporal.client.runs import paused_runs
from spine_temporal.connection.search_attributes import look
from spine_temporal.contracts import names
from spine_temporal.errors import RunNotFound, ServerUnreachable
from spine_temporal.history.folded import fold_execution

# Read side by side: so many histories are in memory at once.
_AT_ONCE: Final = 20
_NEEDED: Final = (names.STATUS_ATTRIBUTE, names.AGENT_ATTRIBUTE)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


class Inbox(ReadModel):
    """The calls that wait for a decision, those first that wait longest."""

    approvals: tuple[Approval, ...]
    unread: tuple[UnreadRun, ...] = ()
    """Paused runs whose histories could not be read: what waits in them is not known."""
    missing_attributes: tuple[str, ...] = ()
    """The search attributes that the server lacks: without them all open runs were looked through."""


async def read_inbox(client: Client, *, agent: str | None, limit: int) -> Inbox:
    """At most `limit` calls. Children are workflows of their own: each call is found once, in the run that asks."""
    attributes = await look(client)
    lacking = [each for each in attributes.missing if each in _NEEDED]
    found: list[Approval] = []
    unread: list[UnreadRun] = []
    some: list[WorkflowExecutionInfo] = []

    async def read_some() -> None:
        for answer in await asyncio.gather(*(_read(client, info) for info in some)):
            if isinstance(answer, UnreadRun):
                unread.append(answer)
            else:
                found.extend(answer)
        some.clear()

    async for info in paused_runs(client, agent=agent, there=attributes.there):
        some.append(info)
        if len(some) == _AT_ONCE:
            await read_some()
            if len(found) >= limit:
                break
    await read_some()
    longest_first = sorted(found, key=lambda approval: approval.asked_at or _LAST)
    return Inbox(approvals=tuple(longest_first[:limit]), unread=tuple(unread), missing_attributes=tuple(lacking))


async def _read(client: Client, info: WorkflowExecutionInfo) -> list[Approval] | UnreadRun:
    workflow_id = info.execution.workflow_id
    try:
        return approvals_in(await fold_execution(client, (workflow_id, info.execution.run_id)), workflow_id)
    except RunNotFound:
        # It was deleted, or its retention ended, since the list was made.
        return []
    except ServerUnreachable:
        raise
    except Exception as error:  # noqa: BLE001 - one history that nobody can read must not hide what waits in the others
        return UnreadRun(id=run_name(workflow_id), problem=problem_of(error))
