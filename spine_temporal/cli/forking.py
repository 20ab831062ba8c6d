"""A new run from the middle of another: what `spine-temporal fork` does."""

import asyncio

from spine_temporal.cli.exits import Exit
from spine_temporal.cli.finding import find
from spine_temporal.cli.server import Server
from spine_temporal.cli.start import tell


def fork(server: Server, id: str, input: str | None, *, step: int, session: str | None, json: bool) -> Exit:
    """Start the new run, print its id."""
    asyncio.run(_fork(server, id, input, step, session, json=json))
    return Exit.DONE


async def _fork(server: Server, id: str, input: str | None, step: int, session: str | None, *, json: bool) -> None:
    client = await server.client()
    run, _, _ = await find(client, id)
    await tell(server, client, await run.fork(step=step, input=input, session_id=session), json=json)
