"""Who waits for a turn and follows it, live; and who comes later."""

import asyncio
import time
from copy import copy
from dataclasses import dataclass

from spine_core import Result, TraceEvent

from spine_temporal import Run
from spine_temporal.client.status_watch import published_status
from spine_temporal.contracts.turn import OnBusy
from spine_temporal.errors import RunFailed


@dataclass
class Said:
    """A turn that was accepted, and who waits for it."""

    text: str
    run: Run
    on_busy: OnBusy
    waiting: "asyncio.Task[Result | RunFailed]"
    followed: "asyncio.Task[list[TraceEvent]]"
    told_s: float = 0.0
    """When who waits was told, by the clock of this process."""

    def note_told(self, _: object) -> None:
        self.told_s = time.monotonic()


def had_anew(run: Run) -> Run:
    """The same run, had anew."""
    return copy(run)


async def last_result(run: Run) -> Result | RunFailed:
    """How a turn ends; pauses are waited through."""
    try:
        while True:
            _, status = await published_status(run._client, run.workflow_id)
            result = await run.result()
            if result.interrupted and status is not None:
                result = await run.next_result(after=status.number)
            if not result.interrupted:
                return result
    except RunFailed as error:
        return error


async def first_events(run: Run) -> list[TraceEvent]:
    """The events of a turn up to its first stop, as they come."""
    try:
        return [event async for event in run.events()]
    except RunFailed:
        return []
