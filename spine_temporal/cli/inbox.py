"""What waits for a person, in all runs: what `spine-temporal approvals` does."""

import asyncio
import json as json_
from typing import Final

from rich.text import Text

from spine_temporal.cli.approval_text import asked_at, expires_at, question
from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.runs import warn_of_unread
from spine_temporal.cli.server import Server
from spine_temporal.cli.table import Table
from spine_temporal.cli.terminal import note, write
from spine_temporal.client.approvals import Approval
from spine_temporal.client.inbox import Inbox, read_inbox
from spine_temporal.client.run_summary import run_name
from spine_temporal.format import harmless

_TABLE: Final = Table(
    headings=("run", "agent", "call", "asked", "expires"),
    last="what",
    kept=("run", "call"),
    widest=300,
    least=40,
    numbers=("asked", "expires"),
)


def approvals(server: Server, *, agent: str | None, limit: int, json: bool) -> Exit:
    """Print the calls that wait for a decision, those first that wait longest."""
    inbox = asyncio.run(_read(server, agent, limit))
    warn_of_unread(server, inbox.unread)
    if json:
        write(json_.dumps(inbox.to_json()["approvals"], indent=2))
        return Exit.DONE
    if inbox.approvals:
        _TABLE.print([_row(each) for each in inbox.approvals])
        note(f"decide with `{server.command('approve', 'RUN', 'CALL')}`, reject, or answer RUN VALUE CALL")
    elif not inbox.unread:
        write("nothing waits for a decision" + (f" of agent {agent!r}" if agent else ""))
    if inbox.missing_attributes:
        lacking, way = " and ".join(inbox.missing_attributes), server.command("init")
        note(f"the server lacks {lacking}: looked through all running runs; `{way}` makes it quick")
    return Exit.DONE


async def _read(server: Server, agent: str | None, limit: int) -> Inbox:
    return await read_inbox(await server.client(), agent=agent, limit=limit)


def _row(approval: Approval) -> list[Text]:
    run = run_name(approval.workflow_id)
    cells = (run, approval.agent, approval.position, asked_at(approval), expires_at(approval), question(approval))
    return [Text(harmless(text)) for text in cells]
