"""The runs there are: what `spine-temporal list`, `stop`, `cancel`, `fork` do."""

import asyncio
import json as json_
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from rich.text import Text
from spine_core import StopReason

from spine_temporal.cli.errors import ids_as_typed
from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.filter_options import FilterOptions
from spine_temporal.cli.print_result import print_started
from spine_temporal.cli.server import Server
from spine_temporal.cli.table import Table
from spine_temporal.cli.terminal import message, note, write
from spine_temporal.client.run_filter import RunFilter
from spine_temporal.client.run_history import read_history
from spine_temporal.client.run_summary import RunList, RunSummary, UnreadRun
from spine_temporal.client.runs import FoundRun, find_run
from spine_temporal.client.runs import list_runs as read_list
from spine_temporal.format import ago, duration, first_line, harmless, price

_TABLE: Final = Table(
    headings=("run", "agent", "status", "started", "took", "events", "cost"),
    last="input",
    kept=("run", "status"),
    widest=60,
    numbers=("started", "took", "events", "cost"),
)
_STYLES: Final = {"running": "cyan", "idle": "green", "failed": "bold red"}
_STOPPED: Final = {
    "idle": "session {} is closed",
    "paused": "run {} ends without the decision that it waits for",
    "suspended": "run {} ends when the workflow is no longer paused on the server",
}


def list_runs(server: Server, options: FilterOptions, *, limit: int, json: bool) -> Exit:
    """Print the newest runs, newest first."""
    found = asyncio.run(_list(server, options.wanted(), limit))
    warn_of_unread(server, found.unread)
    if json:
        write(json_.dumps(found.to_json()["runs"], indent=2))
    elif found.runs:
        _TABLE.print([_row(run) for run in found.runs])
    else:
        note("none like that" if options.given else 'no runs yet; `spine-temporal run AGENT "hello"` begins one')
    if found.truncated:
        message("warning", "the search ended after a thousand runs; there may be more of them", "yellow")
    return Exit.DONE


def stop(server: Server, id: str) -> Exit:
    """Ask the run to end at its next step boundary; close a session that waits for a turn."""
    asyncio.run(_end(server, id, at_once=False))
    return Exit.DONE


def cancel(server: Server, id: str) -> Exit:
    """End the run now."""
    asyncio.run(_end(server, id, at_once=True))
    return Exit.DONE


def fork(server: Server, id: str, input: str | None, *, step: int, session: str | None, json: bool) -> Exit:
    """Start a new run from the middle of another, print its id."""
    asyncio.run(_fork(server, id, input, step, session, json=json))
    return Exit.DONE


def warn_of_unread(server: Server, unread: Sequence[UnreadRun]) -> None:
    """Say of how many runs the history could not be read, and why that of the first."""
    if unread:
        which = "1 run could not be read" if len(unread) == 1 else f"{len(unread)} runs could not be read"
        way = server.run_command("show", unread[0].id)
        message("warning", f"{which} ({first_line(unread[0].problem)}); `{way}` says more", "yellow")


def status_text(run: RunSummary) -> Text:
    """Where the run is, in one word; with the reason why it stopped when that is not a final answer."""
    text = run.status
    if run.status in ("idle", "completed") and run.reason not in (None, StopReason.FINAL):
        text = f"{run.status}: {run.reason}"
    elif run.status == "failed" and run.open:
        text = "failed, open"
    if run.status == "completed" and run.reason is StopReason.FINAL:
        return Text(text, style="green")
    return Text(text, style=_STYLES.get(text, _STYLES["failed"] if run.status == "failed" else "yellow"))


async def _list(server: Server, wanted: RunFilter, limit: int) -> RunList:
    return await read_list(await server.client(), wanted, limit=limit)


def _row(run: RunSummary) -> list[Text]:
    started = ago((datetime.now(UTC) - run.started).total_seconds())
    took = duration(run.duration_s) if run.duration_s is not None else ""
    # Of a run that goes on, a server's list does not tell how many.
    events = f"{run.events:,}" if run.events else ""
    cells = (run.id, run.agent, status_text(run), started, took, events, price(run.tokens, run.cost_usd))
    row = [Text(harmless(cell)) if isinstance(cell, str) else cell for cell in cells]
    return [*row, Text(first_line(run.input), "dim")]


async def _end(server: Server, id: str, *, at_once: bool) -> None:
    client = await server.client()
    found = await find_run(client, id)
    if not found.open:
        history = await read_history(client, found.run.workflow_id, found.info.execution.run_id)
        write(f"run {id} has ended before: {history.reason or found.status}")
        return
    with ids_as_typed(found.run, id):
        await (found.run.cancel() if at_once else found.run.stop())
    write(_ending_text(found, at_once=at_once).format(id))


def _ending_text(found: FoundRun, *, at_once: bool) -> str:
    if at_once and found.status != "idle":
        return "run {} is being cancelled"
    return _STOPPED.get(found.status, "run {} ends when the step in hand is done")


async def _fork(server: Server, id: str, input: str | None, step: int, session: str | None, *, json: bool) -> None:
    client = await server.client()
    found = await find_run(client, id)
    with ids_as_typed(found.run, id):
        forked = await found.run.fork(step=step, input=input, session_id=session)
    await print_started(server, client, forked, json=json)
