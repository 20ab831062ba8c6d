"""The acts of the story: a run begins, loses its worker inside a step, ends on another."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from temporalio.client import Client

from spine_temporal.client.run import Run
from spine_temporal.demo.story.activity_log import MODEL, Deeds
from spine_temporal.demo.story.calls import KILLED, STARTED, CallLog
from spine_temporal.demo.story.progress_line import InFlight, look
from spine_temporal.demo.story.screen import Stage
from spine_temporal.demo.story.settings import Blow
from spine_temporal.demo.story.workers import Crew, Worker
from spine_temporal.format import first_line
from spine_temporal.history.follow import follow

_LOOK_EVERY_S: Final = 0.1
_DECIDES_WITHIN_S: Final = 1.0


class Acts:
    """Shows one run while interfering with it."""

    def __init__(self, stage: Stage, client: Client, run: Run, crew: Crew, log: CallLog) -> None:
        self._stage, self._client, self._run, self._crew, self._log = stage, client, run, crew, log
        self._deeds = Deeds(client.data_converter)
        self._killed_s: float | None = None
        self._victim = ""
        self._failed: set[tuple[str, int]] = set()

    async def play(self, first: Worker, blow: Blow) -> None:
        """Return when the run is over.

        Raises:
            RunFailed: a worker ended by itself.
        """
        following = asyncio.create_task(self._follow())
        acting = asyncio.create_task(self._act(first, blow))
        try:
            with self._stage.live():
                await asyncio.wait({following, acting}, return_when=asyncio.FIRST_COMPLETED)
            # Acting never ends well: there is always something to look at until the run is over.
            await (following if following.done() else acting)
        finally:
            following.cancel()
            acting.cancel()
            await asyncio.gather(following, acting, return_exceptions=True)

    async def _follow(self) -> None:
        async for event in follow(self._client, self._run.workflow_id, self._run.run_id):
            deed = await self._deeds.feed(event)
            if deed is not None:
                self._stage.deed(deed)

    async def _act(self, first: Worker, blow: Blow) -> None:
        victim = await self._until(lambda now: _is_ripe(now, first, blow))
        while not await self._kill(first, victim):
            victim = await self._until(lambda now: _is_ripe(now, first, blow))
        lost = await self._until(lambda now: now is not None and now.attempt > victim.attempt)
        self._failed.add((lost.id, lost.attempt))
        self._stage.event("", f"the server has missed its heartbeat; step {victim.id} will be tried again", "yellow")
        second = await self._crew.start("worker-2")
        self._stage.event(second.identity, f"started, pid {second.process.pid}")
        taken = await self._until(lambda now: now is not None and now.running and now.worker == second.identity)
        gap_s, self._killed_s = taken.since_s - (self._killed_s or taken.since_s), None
        self._stage.event(second.identity, f"takes step {taken.id} over, {gap_s:.1f} s after the kill", "yellow")
        await self._until(lambda _: False)

    async def _kill(self, worker: Worker, victim: InFlight) -> bool:
        def in_the_midst() -> bool:
            return [call.event for call in self._log.lines() if call.activity == victim.id][-1:] == [STARTED]

        if not await self._crew.kill_while(worker, in_the_midst):
            return False
        self._log.write(KILLED, victim.id, victim.attempt, worker.identity, MODEL)
        self._killed_s, self._victim = time.time(), victim.id
        self._stage.loud(f"kill -9 {worker.process.pid}: {worker.name} is dead, in the middle of step {victim.id}")
        return True

    async def _until(self, is_it: Callable[[InFlight | None], bool]) -> InFlight:
        """Look, tell what is going on, until it is what is waited for."""
        while True:
            self._crew.check()
            now, _ = await look(self._client, self._run)
            self._tell(now)
            if is_it(now) and now is not None:
                return now
            await asyncio.sleep(_LOOK_EVERY_S)

    def _tell(self, now: InFlight | None) -> None:
        if self._killed_s is not None:
            waits = "the server waits for a heartbeat" if now and now.running else "worker-2 is on its way"
            self._stage.now.tell(f"nobody is working, {waits}", self._killed_s, "bold yellow")
        elif now is None:
            # The server offers the next decision to the worker that took the last one, for some seconds, dead or not.
            held = bool(self._victim) and time.time() - self._deeds.last_s > _DECIDES_WITHIN_S
            decides = "the next decision is still held back for the dead worker" if held else "the workflow decides"
            self._stage.now.tell(decides, self._deeds.last_s)
        else:
            self._victim = self._victim if now.id == self._victim else ""
            self._tell_failure(now)
            name, arguments = self._deeds.asked(now.id)
            doing = "asking the model" if name == MODEL else f"{name} {', '.join(arguments)}"
            self._stage.now.tell(
                f"{now.worker.partition(' ')[0]}, step {now.id.partition('.')[0]}: {doing}", now.since_s
            )

    def _tell_failure(self, now: InFlight) -> None:
        if now.last_failure and (now.id, now.attempt) not in self._failed:
            self._failed.add((now.id, now.attempt))
            why = first_line(now.last_failure)
            self._stage.event(now.worker, f"attempt {now.attempt - 1} of step {now.id} failed: {why}", "yellow")


def _is_ripe(now: InFlight | None, worker: Worker, blow: Blow) -> bool:
    if now is None or not now.is_step or not now.running or now.worker != worker.identity:
        return False
    return int(now.id) >= blow.step and time.time() - now.since_s >= blow.age_s
