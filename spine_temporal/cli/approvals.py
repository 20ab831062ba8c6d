"""What waits for a person, in all runs: what `spine-temporal approvals` does."""

import asyncio
import json as json_
from datetime import UTC, datetime
from itertools import batched
from typing import Final

from rich.text import Text
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.client import Client

from spine_temporal.cli.asked import asked, expires, what
from spine_temporal.cli.exits import Exit
from spine_temporal.cli.finding import named
from spine_temporal.cli.listing import plain
from spine_temporal.cli.screen import note, say, write
from spine_temporal.cli.searching import paused
from spine_temporal.cli.server import Server, creating
from spine_temporal.cli.table import Table
from spine_temporal.client.approvals import Approval, approvals_in
from spine_temporal.connection.search_attributes import missing
from spine_temporal.errors import RunNotFound, SpineTemporalError
from spine_temporal.format import harmless
from spine_temporal.history.fold import fold_execution

_AT_ONCE: Final = 20
_TABLE: Final = Table(
    headings=("run", "agent", "call", "asked", "expires"),
    last="what",
    always=5,
    widest=300,
    least=40,
    numbers=("asked", "expires"),
)
_LATE: Final = datetime.max.replace(tzinfo=UTC)


def approvals(server: Server, *, agent: str | None, limit: int, json: bool) -> Exit:
    """Print the calls that wait for a decision, those first that wait longest."""
    found, lacking = asyncio.run(_waiting(server, agent, limit))
    if json:
        write(json_.dumps([plain(each) for each in found], indent=2))
        return Exit.DONE
    if found:
        _TABLE.show([_row(each) for each in found])
        note(f"decide with `{server.command('approve', 'RUN', 'CALL')}`, reject, or answer RUN VALUE CALL")
    else:
        write("nothing waits for a decision" + (f" of agent {agent!r}" if agent else ""))
    if lacking:
        note(_slow(server, lacking))
    return Exit.DONE


async def _waiting(server: Server, agent: str | None, limit: int) -> tuple[list[Approval], list[str]]:
    """Children are workflows of their own: each call is found once, in the run that asks."""
    client = await server.client()
    lacking = await missing(client)
    found: list[Approval] = []
    async for infos in paused(client, agent=agent, indexed=not lacking):
        for some in batched(infos, _AT_ONCE):
            for waiting in await asyncio.gather(*(_in(client, info) for info in some)):
                found += waiting
            if len(found) >= limit:
                return _longest_first(found)[:limit], lacking
    return _longest_first(found), lacking


async def _in(client: Client, info: WorkflowExecutionInfo) -> list[Approval]:
    workflow_id = info.execution.workflow_id
    try:
        ledger = await fold_execution(client, (workflow_id, info.execution.run_id))
    except RunNotFound:
        return []
    except (SpineTemporalError, ValueError) as error:
        # One history that nobody can read must not hide what waits in the others.
        say("warning", f"the history of {workflow_id!r} cannot be read: {error}", "yellow")
        return []
    return approvals_in(ledger, workflow_id)


def _longest_first(found: list[Approval]) -> list[Approval]:
    return sorted(found, key=lambda each: each.asked_at or _LATE)


def _row(each: Approval) -> list[Text]:
    told = (named(each.workflow_id), each.agent, each.position, asked(each), expires(each), what(each))
    return [Text(harmless(text)) for text in told]


def _slow(server: Server, lacking: list[str]) -> str:
    told = "\n".join(f"  {line}" for line in creating(server, lacking))
    return f"looked through all running runs; this makes it quick on a server with many:\n{told}"
