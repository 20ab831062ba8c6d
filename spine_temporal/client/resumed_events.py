"""The trace events of a run that come after a decision."""

from collections.abc import AsyncIterator

from spine_core import TraceEvent
from temporalio.client import Client

from spine_temporal.client.follow_run import StatusCursor
from spine_temporal.client.run import Run
from spine_temporal.history.fold import Fold
from spine_temporal.history.follow import follow


async def resumed_events(client: Client, run: Run, before: StatusCursor) -> AsyncIterator[TraceEvent]:
    """Those of the run's turn after what `before` knows, live until it stops again."""
    fold, number = Fold(client.data_converter), 0
    async for event in follow(client, run.workflow_id, run.run_id):
        events = await fold.feed(event)
        if fold.ledger.progress.status_number < number:
            # A reset took it back: it counts its stops anew.
            before = StatusCursor()
        turn, number = fold.ledger.progress.turn, fold.ledger.progress.status_number
        if turn == run.turn and not before.is_old(fold.ledger):
            for each in events:
                yield each
        stop = fold.stops.get(run.turn or turn)
        if stop is not None and not before.is_old(stop.ledger):
            return
