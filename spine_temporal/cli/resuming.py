"""A paused run decided on, then waited for: what `spine-temporal resume` does."""

import asyncio
from collections.abc import AsyncIterator

from spine_core import TraceEvent
from temporalio.client import Client

from spine_temporal.cli.exits import Exit
from spine_temporal.cli.finding import find
from spine_temporal.cli.live import follow as show
from spine_temporal.cli.outcome import Stopped, stopped, tell_it_goes_on
from spine_temporal.cli.screen import note, show_log, stderr
from spine_temporal.cli.server import Server
from spine_temporal.client.follow_run import Seen
from spine_temporal.client.pollers import warn_if_no_worker
from spine_temporal.client.run import Run
from spine_temporal.history.fold import Fold, fold_execution
from spine_temporal.history.follow import follow


def resume(server: Server, id: str, word: str, *, json: bool, live: bool) -> Exit:
    """Decide, print the answer; with `live`, tell on stderr what the run does meanwhile."""
    show_log()
    resumed: list[Run] = []
    try:
        told = asyncio.run(_stopped(server, id, word, resumed, live=live))
    except KeyboardInterrupt:
        for each in resumed:
            tell_it_goes_on(server, each.id)
        return Exit.CTRL_C
    return told.tell(server, json=json, live=live)


async def _stopped(server: Server, id: str, word: str, resumed: list[Run], *, live: bool) -> Stopped:
    client = await server.client()
    found, seen, _ = await find(client, id)
    # Of that very turn: the next one may wait already, and then begins as soon as this one is over.
    turn = (await fold_execution(client, (found.workflow_id, seen.run_id))).progress.turn
    run = Run(client, id=found.id, workflow_id=found.workflow_id, run_id=seen.run_id, turn=turn)
    async with warn_if_no_worker(client, seen.task_queue):
        _, before = await run.decide_on(word, None)
        resumed.append(run)
        if live:
            note(f"{seen.agent} · run {run.id}\n")
            await show(_since(client, run, before), stderr())
        return await stopped(run, await run.next_result(after=before))


async def _since(client: Client, run: Run, before: Seen) -> AsyncIterator[TraceEvent]:
    """The trace events of the turn that come after what was seen before, until it stops again."""
    fold = Fold(client.data_converter)
    async for event in follow(client, run.workflow_id, run.run_id):
        told = await fold.feed(event)
        turn = fold.ledger.progress.turn
        if turn == run.turn and not before.is_old(fold.ledger):
            for each in told:
                yield each
        stop = fold.stops.get(run.turn or turn)
        if stop is not None and not before.is_old(stop.ledger):
            return
