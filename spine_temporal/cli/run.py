"""An agent's answer: what `spine-temporal run` does."""

import asyncio

from temporalio.client import Client

from spine_temporal.cli.exits import Exit
from spine_temporal.cli.finding import find
from spine_temporal.cli.live import follow
from spine_temporal.cli.order import Order
from spine_temporal.cli.outcome import Stopped, stopped, tell_it_goes_on
from spine_temporal.cli.screen import note, say, show_log, stderr
from spine_temporal.cli.server import Server
from spine_temporal.cli.ui import page_of
from spine_temporal.client.pollers import warn_if_no_worker
from spine_temporal.client.run import Run


def run(server: Server, order: Order, *, json: bool, live: bool) -> Exit:
    """Start a run, print its answer; with `live`, tell on stderr what it does meanwhile."""
    show_log()
    started: list[Run] = []
    try:
        told = asyncio.run(_stopped(server, order, started, live=live))
    except KeyboardInterrupt:
        for each in started:
            tell_it_goes_on(server, each.id)
        return Exit.CTRL_C
    return told.tell(server, json=json, live=live)


async def _stopped(server: Server, order: Order, started: list[Run], *, live: bool) -> Stopped:
    client = await server.client()
    async with warn_if_no_worker(client, order.task_queue):
        run = await order.place(client)
        started.append(run)
        if run.turn is not None:
            await _tell_if_paused(server, client, run)
        if live:
            page = await page_of(client, run.workflow_id)
            note(f"{order.agent} · run {run.id}" + (f"\n{page}" if page else "") + "\n")
            await follow(run.events(), stderr())
        return await stopped(run, await run.result())


async def _tell_if_paused(server: Server, client: Client, run: Run) -> None:
    """A turn of a session that waits for a decision waits with it."""
    _, seen, _ = await find(client, run.workflow_id)
    if seen.status == "paused":
        way = server.command("show", run.id)
        say("waiting", f"turn {run.turn} waits: session {run.id} is paused, `{way}` says at what", "yellow")
