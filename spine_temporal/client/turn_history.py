"""The history of a turn, wherever it is to be read from."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from spine_temporal.client.live_history import Reading
from spine_temporal.client.server_errors import failed_run
from spine_temporal.errors import RunNotFound
from spine_temporal.history.fold import Fold
from spine_temporal.history.folded import turn_run_id
from spine_temporal.history.follow import Pace, follow
from spine_temporal.journal.progress import Progress

_FAILED: Final = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED


async def folded_from(
    client: Client, workflow_id: str, wanted: tuple[str | None, bool], latest: str | None
) -> tuple[Fold, bool]:
    """All there is by now from that execution on, and whether it is the one that was wanted."""
    (run_id, another_will_do), fold = wanted, Fold(client.data_converter)
    if run_id is not None:
        try:
            await feed(fold, client, workflow_id, run_id, latest=latest)
        except RunNotFound:
            if not another_will_do or fold.request is not None:
                raise
        else:
            return fold, True
    await feed(fold, client, workflow_id, await turn_run_id(client, workflow_id, None), latest=latest)
    return fold, False


async def feed(
    fold: Fold,
    client: Client,
    workflow_id: str,
    start: str,
    *,
    latest: str | None,
    pace: Pace | None = None,
    on_execution: Callable[[str], None] | None = None,
) -> None:
    """Feed `fold` from the execution `start` on: all there is by now; with `pace`, what is still to come, too.

    Raises:
        RunNotFound: there is no such run.
        RunFailed: its workflow failed; or an error that says more.
        ServerUnreachable: the server was away for more than five minutes.
    """
    wait = pace is not None
    async for event in follow(
        client, workflow_id, start, wait=wait, latest=latest, pace=pace, on_execution=on_execution
    ):
        await fold.feed(event)
        if event.event_type == _FAILED:
            raise await failed_run(event, workflow_id, client.data_converter)


async def turn_in_hand(following: AsyncGenerator[tuple[Reading, bool], None]) -> int:
    """The turn that a run is at now."""
    progress = Progress()
    async with aclosing(following) as readings:
        async for reading, present in readings:
            progress = reading.progress
            if present:
                break
    return turn_at(progress)


def turn_at(progress: Progress) -> int:
    """The turn that is in hand then; between two turns, the one that is to begin."""
    return progress.queue[0].turn if progress.over and progress.queue else progress.turn
