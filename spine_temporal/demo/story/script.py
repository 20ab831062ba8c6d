"""What happens in the story: a run begins, loses its worker inside a step, ends on another."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from temporalio.client import Client

from spine_temporal.client.run import Run
from spine_temporal.demo.story.activity_log import MODEL, ActivityLog
from spine_temporal.demo.story.calls import KILLED, STARTED, CallLog
from spine_temporal.demo.story.pending import PendingActivity, describe_now
from spine_temporal.demo.story.screen import Screen
from spine_temporal.demo.story.settings import KillPlan
from spine_temporal.demo.story.workers import Worker, Workers
from spine_temporal.format import first_line
from spine_temporal.history.follow import follow

_LOOK_EVERY_S: Final = 0.1
_DECIDES_WITHIN_S: Final = 1.0


class Script:
    """Shows one run while interfering with it."""

    def __init__(self, screen: Screen, client: Client, run: Run, workers: Workers, log: CallLog) -> None:
        self._screen, self._client, self._run, self._workers, self._log = screen, client, run, workers, log
        self._activities = ActivityLog(client.data_converter)
        self._killed_s: float | None = None
        self._target = ""
        self._failed: set[tuple[str, int]] = set()

    async def run(self, first: Worker, kill: KillPlan) -> None:
        """Return when the run is over.

        Raises:
            RunFailed: a worker ended by itself.
        """
        following = asyncio.create_task(self._follow())
        acting = asyncio.create_task(self._act(first, kill))
        try:
            with self._screen.live():
                await asyncio.wait({following, acting}, return_when=asyncio.FIRST_COMPLETED)
            # Acting never ends well: there is always something to look at until the run is over.
            await (following if following.done() else acting)
        finally:
            following.cancel()
            acting.cancel()
            await asyncio.gather(following, acting, return_exceptions=True)

    async def _follow(self) -> None:
        async for event in follow(self._client, self._run.workflow_id, self._run.run_id):
            done = await self._activities.feed(event)
            if done is not None:
                self._screen.activity(done)

    async def _act(self, first: Worker, kill: KillPlan) -> None:
        target = await self._until(lambda now: _is_ripe(now, first, kill))
        while not await self._kill(first, target):
            target = await self._until(lambda now: _is_ripe(now, first, kill))
        lost = await self._until(lambda now: now is not None and now.attempt > target.attempt)
        self._failed.add((lost.id, lost.attempt))
        self._screen.event("", f"the server has missed its heartbeat; step {target.id} will be tried again", "yellow")
        second = await self._workers.start("worker-2")
        self._screen.event(second.identity, f"started, pid {second.process.pid}")
        taken = await self._until(lambda now: now is not None and now.running and now.worker == second.identity)
        gap_s, self._killed_s = taken.since_s - (self._killed_s or taken.since_s), None
        self._screen.event(second.identity, f"takes step {taken.id} over, {gap_s:.1f} s after the kill", "yellow")
        await self._until(lambda _: False)

    async def _kill(self, worker: Worker, target: PendingActivity) -> bool:
        def in_the_midst() -> bool:
            return [call.event for call in self._log.lines() if call.activity == target.id][-1:] == [STARTED]

        if not await self._workers.kill_while(worker, in_the_midst):
            return False
        self._log.write(KILLED, target.id, target.attempt, worker.identity, MODEL)
        self._killed_s, self._target = time.time(), target.id
        self._screen.loud(f"kill -9 {worker.process.pid}: {worker.name} is dead, in the middle of step {target.id}")
        return True

    async def _until(self, is_it: Callable[[PendingActivity | None], bool]) -> PendingActivity:
        """Look at the run, show what it does, until it is what is waited for."""
        while True:
            self._workers.check()
            now, _ = await describe_now(self._client, self._run)
            self._show(now)
            if is_it(now) and now is not None:
                return now
            await asyncio.sleep(_LOOK_EVERY_S)

    def _show(self, now: PendingActivity | None) -> None:
        if self._killed_s is not None:
            waits = "the server waits for a heartbeat" if now and now.running else "worker-2 is on its way"
            self._screen.now.show(f"nobody is working, {waits}", self._killed_s, "bold yellow")
        elif now is None:
            # The server offers the next decision to the worker that took the last one, for some seconds, dead or not.
            held = bool(self._target) and time.time() - self._activities.last_s > _DECIDES_WITHIN_S
            decides = "the next decision is still held back for the dead worker" if held else "the workflow decides"
            self._screen.now.show(decides, self._activities.last_s)
        else:
            self._target = self._target if now.id == self._target else ""
            self._show_failure(now)
            name, arguments = self._activities.asked(now.id)
            doing = "asking the model" if name == MODEL else f"{name} {', '.join(arguments)}"
            self._screen.now.show(
                f"{now.worker.partition(' ')[0]}, step {now.id.partition('.')[0]}: {doing}", now.since_s
            )

    def _show_failure(self, now: PendingActivity) -> None:
        if now.last_failure and (now.id, now.attempt) not in self._failed:
            self._failed.add((now.id, now.attempt))
            why = first_line(now.last_failure)
            self._screen.event(now.worker, f"attempt {now.attempt - 1} of step {now.id} failed: {why}", "yellow")


def _is_ripe(now: PendingActivity | None, worker: Worker, kill: KillPlan) -> bool:
    if now is None or not now.is_step or not now.running or now.worker != worker.identity:
        return False
    return int(now.id) >= kill.step and time.time() - now.since_s >= kill.age_s
