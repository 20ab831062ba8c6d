"""A run that somebody else started, followed: what `spine-temporal watch` does."""

import asyncio

from spine_temporal.cli.errors import ids_as_typed
from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.log import show_log
from spine_temporal.cli.print_result import Stopped, print_that_it_goes_on, stopped
from spine_temporal.cli.server import Server
from spine_temporal.cli.terminal import note
from spine_temporal.cli.view import View
from spine_temporal.client.runs import find_run


def watch(server: Server, id: str, view: View, *, after: str | None) -> Exit:
    """Print what the run does, from its turn's beginning or behind the event `after`, until it stops."""
    show_log()
    found: list[str] = []
    try:
        stop = asyncio.run(_stop(server, id, view, after, found))
    except KeyboardInterrupt:
        for each in found:
            print_that_it_goes_on(server, each)
        return Exit.CTRL_C
    return view.print_result(server, stop)


async def _stop(server: Server, id: str, view: View, after: str | None, found: list[str]) -> Stopped:
    client = await server.client()
    known = await find_run(client, id)
    with ids_as_typed(known.run, id):
        run = await known.run.in_hand()
        run.run_id = known.run.run_id
        found.append(id)
        if view.live:
            agent = f"{known.published.agent} · " if known.published is not None else ""
            note(f"{agent}run {id}\n")
        await view.show(run.events(tokens=True, after=after))
        return await stopped(run, await run.result())
