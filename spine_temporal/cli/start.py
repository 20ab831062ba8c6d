"""A run nobody waits for: what `spine-temporal start` does."""

import asyncio
import json as json_

from temporalio.client import Client

from spine_temporal.cli.exits import Exit
from spine_temporal.cli.order import Order
from spine_temporal.cli.screen import note, show_log, write
from spine_temporal.cli.server import Server
from spine_temporal.cli.ui import page_of
from spine_temporal.client.pollers import warn_if_no_worker
from spine_temporal.client.run import Run


def start(server: Server, order: Order, *, json: bool) -> Exit:
    """Start a run, print its id."""
    show_log()
    asyncio.run(_start(server, order, json=json))
    return Exit.DONE


async def _start(server: Server, order: Order, *, json: bool) -> None:
    client = await server.client()
    # A further turn of an open session is taken by a worker.
    async with warn_if_no_worker(client, order.task_queue):
        run = await order.place(client)
    await tell(server, client, run, json=json)


async def tell(server: Server, client: Client, run: Run, *, json: bool) -> None:
    """Print the id of a run that was started."""
    page = await page_of(client, run.workflow_id)
    if json:
        told = {"session_id": run.id, "workflow_id": run.workflow_id, "run_id": run.run_id, "ui": page}
        write(json_.dumps(told))
        return
    write(run.id)
    note(f"`{server.command('show', run.id)}` says where it is" + (f"\n{page}" if page else ""))
