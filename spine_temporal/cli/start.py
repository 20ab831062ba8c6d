"""A run nobody waits for: what `spine-temporal start` does."""

import asyncio
import json as json_

from spine_temporal.cli.exits import Exit
from spine_temporal.cli.screen import note, write
from spine_temporal.cli.server import Server
from spine_temporal.cli.ui import page_of
from spine_temporal.client.agent import DurableAgent


def start(server: Server, agent: str, input: str, *, session: str | None, task_queue: str, json: bool) -> Exit:
    """Start a run, print its id."""
    asyncio.run(_start(server, agent, input, session, task_queue, json=json))
    return Exit.DONE


async def _start(server: Server, agent: str, input: str, session: str | None, task_queue: str, *, json: bool) -> None:
    client = await server.client()
    run = await DurableAgent(agent, client, task_queue=task_queue).start(input, session_id=session)
    page = await page_of(client, run.workflow_id)
    if json:
        told = {"session_id": run.id, "workflow_id": run.workflow_id, "run_id": run.run_id, "ui": page}
        write(json_.dumps(told))
        return
    write(run.id)
    note(f"`spine-temporal show {run.id}` says where it is" + (f"\n{page}" if page else ""))
