"""A paused run decided on, then waited for: what `spine-temporal resume` does."""

import asyncio

from spine_temporal.cli.errors import ids_as_typed
from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.follow import follow
from spine_temporal.cli.log import show_log
from spine_temporal.cli.print_result import Stopped, print_result, print_that_it_goes_on, stopped
from spine_temporal.cli.server import Server
from spine_temporal.cli.terminal import note, stderr
from spine_temporal.client.runs import find_run
from spine_temporal.client.shared_reads import shared_reads


def resume(server: Server, id: str, word: str, *, json: bool, live: bool) -> Exit:
    """Decide, print the answer; with `live`, print on stderr what the run does meanwhile."""
    show_log()
    resumed: list[str] = []
    try:
        stop = asyncio.run(_result(server, id, word, resumed, live=live))
    except KeyboardInterrupt:
        for each in resumed:
            print_that_it_goes_on(server, each)
        return Exit.CTRL_C
    return print_result(server, stop, json=json, live=live)


async def _result(server: Server, id: str, word: str, resumed: list[str], *, live: bool) -> Stopped:
    client = await server.client()
    found = await find_run(client, id)
    with ids_as_typed(found.run, id):
        # Of that very turn: the next one may wait already, and then begins as soon as this one is over.
        run = await found.run.in_hand()
        run.run_id = found.run.run_id
        with shared_reads(client, run.workflow_id):
            _, before = await run.decide_on(word, None)
            resumed.append(id)
            if live:
                agent = f"{found.published.agent} · " if found.published is not None else ""
                note(f"{agent}run {id}\n")
                await follow(run.events_after(before), stderr())
            return await stopped(run, await run.next_result(after=before))
