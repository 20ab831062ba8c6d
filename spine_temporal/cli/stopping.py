"""A run ended before its time, by command."""

import asyncio
from typing import Final

from spine_temporal.cli.exits import Exit
from spine_temporal.cli.finding import find
from spine_temporal.cli.screen import write
from spine_temporal.cli.server import Server

_STOPPED: Final = {
    "idle": "session {} is closed",
    "paused": "run {} ends without the decision that it waits for",
    "suspended": "run {} ends when the workflow is no longer paused on the server",
}


def stop(server: Server, id: str) -> Exit:
    """Ask the run to end at its next step boundary; close a session that waits for a turn."""
    asyncio.run(_end(server, id, at_once=False))
    return Exit.DONE


def cancel(server: Server, id: str) -> Exit:
    """End the run now."""
    asyncio.run(_end(server, id, at_once=True))
    return Exit.DONE


async def _end(server: Server, id: str, *, at_once: bool) -> None:
    run, seen, _ = await find(await server.client(), id)
    if not seen.going_on:
        write(f"run {run.id} has ended before: {seen.reason or seen.status}")
    elif at_once:
        await run.cancel()
        write(_STOPPED["idle"].format(run.id) if seen.status == "idle" else f"run {run.id} is being cancelled")
    else:
        await run.stop()
        write(_STOPPED.get(seen.status, "run {} ends when the step in hand is done").format(run.id))
