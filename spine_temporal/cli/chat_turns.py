"""A conversation's turns, one at a time, each followed until it stops."""

import asyncio
import signal
import uuid
from collections.abc import Coroutine, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from spine_core import Result, State
from temporalio.client import Client
from temporalio.service import RPCError

from spine_temporal.cli.stream import StreamPrinter
from spine_temporal.cli.terminal import message, note, stderr
from spine_temporal.client.agent import DurableAgent
from spine_temporal.client.approvals import Approval
from spine_temporal.client.describe_run import describe_run
from spine_temporal.client.description import RunDescription
from spine_temporal.client.run import Run
from spine_temporal.contracts.approval import Decision
from spine_temporal.errors import RunNotFound, SpineTemporalError


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """Where a turn has come to."""

    result: Result
    shown: str
    """As much of the answer as stands on the terminal."""
    pending: list[Approval] = field(default_factory=list)
    """What it waits for, if it is paused."""


@dataclass(slots=True)
class ChatTurns:
    """The turns of one session; of a new one from the middle of it, when the user goes back."""

    client: Client
    agent: DurableAgent
    session: str
    _first_session: str = field(init=False)
    _run: Run | None = None
    _branch: tuple[Run, int] | None = None
    """Where the next turn begins: behind a step of that run; None: where the session is."""
    _begins: list[tuple[Run, int]] = field(default_factory=list)
    """The run of each turn that began here, and the step behind which it began."""

    def __post_init__(self) -> None:
        self._first_session = self.session

    async def say(self, text: str) -> TurnEnd:
        """The next turn, until it stops.

        Raises what `DurableAgent.start` and `Run.fork` raise.
        """
        if self._branch is not None:
            run, step = self._branch
            session = f"{self._first_session}-{uuid.uuid4().hex[:6]}"
            self._run = await self._forked(run, step, text, session)
            self.session, self._branch = session, None
            self._begins.append((run, step))
        else:
            step = await self._step()
            self._run = await self.agent.start(text, session_id=self.session, tokens=True)
            self._begins.append((self._run, step))
        printer = StreamPrinter(stderr())
        with _ctrl_c(self._run):
            await printer.print(self._run.events(tokens=True))
            return await self._end(self._run, await self._run.result(), printer)

    async def decide(self, approval: Approval, decision: Decision) -> TurnEnd:
        """Decide on a call that the turn waits for; the turn, until it stops again.

        Raises:
            DecisionRefused: somebody has decided on it before, or its time is up.
        """
        known = self._run or self.agent.get_run(self.session)
        run = await known.in_hand()
        run.run_id = known.run_id
        printer = StreamPrinter(stderr())
        with _ctrl_c(run):
            _, before = await run.decide_on(decision, f"{approval.run}/{approval.position}")
            await printer.print(run.events_after(before, tokens=True))
            return await self._end(run, await run.next_result(after=before), printer)

    async def go_on(self) -> TurnEnd:
        """The turn in hand, until it stops; what it does meanwhile is not shown."""
        run, printer = await self.agent.get_run(self.session).in_hand(), StreamPrinter(stderr())
        with _ctrl_c(run):
            return await self._end(run, await run.result(), printer)

    async def pending(self) -> list[Approval]:
        """What the session waits for."""
        try:
            return await self.agent.get_run(self.session).pending()
        except RunNotFound:
            return []

    async def state(self) -> State | None:
        """The conversation as it is now; None: it has not begun."""
        try:
            return await self.agent.get_run(self.session).state()
        except RunNotFound:
            return None

    async def described(self) -> RunDescription | None:
        """All that is known of the conversation; None: it has not begun."""
        try:
            return await describe_run(self.client, self.agent.get_run(self.session).workflow_id)
        except RunNotFound:
            return None

    async def undo(self) -> bool:
        """Have the next turn begin where the last one did; False: there is none to go back behind."""
        if not self._begins and self._branch is None and await self.state() is not None:
            run = self.agent.get_run(self.session)
            async with aclosing(run.events()) as events:
                first = await anext(events, None)
            if first is not None:
                self._begins.append((run, first.step - 1))
        if not self._begins:
            return False
        self._branch = self._begins.pop()
        return True

    async def fork(self, step: int | None) -> int:
        """Have the next turn begin behind that step; None: the last one. The step.

        Raises:
            RunNotFound: there is no turn yet.
        """
        run = self.agent.get_run(self.session)
        last = (await run.state()).step
        self._branch = (run, last if step is None else step)
        return self._branch[1]

    async def stop(self) -> None:
        """End the turn that waits."""
        await self.agent.get_run(self.session).stop()

    async def _forked(self, run: Run, step: int, text: str, session: str) -> Run:
        if step == 0:
            # Before its first step, a conversation has the user's first input.
            return await self.agent.start(text, session_id=session, tokens=True)
        return await run.fork(step=step, input=text, session_id=session, tokens=True)

    async def _step(self) -> int:
        state = await self.state()
        return state.step if state is not None else 0

    async def _end(self, run: Run, result: Result, printer: StreamPrinter) -> TurnEnd:
        return TurnEnd(result, printer.shown, await run.pending() if result.interrupted else [])


async def _asked(request: Coroutine[Any, Any, None]) -> None:
    try:
        await request
    except (SpineTemporalError, RPCError) as error:
        message("warning", str(error), "yellow")


@contextmanager
def _ctrl_c(run: Run) -> Iterator[None]:
    """While the body runs, Ctrl-C ends the turn at its next step, a second one at once, a third one leaves it alone."""
    loop, pressed, asked = asyncio.get_running_loop(), [0], set[asyncio.Task[None]]()
    task = asyncio.current_task()

    def on_ctrl_c() -> None:
        pressed[0] += 1
        if pressed[0] == 1:
            note("\nstopping at the next step; Ctrl-C again ends it at once")
            asked.add(asyncio.create_task(_asked(run.stop())))
        elif pressed[0] == 2:
            note("\nending it now")
            asked.add(asyncio.create_task(_asked(run.cancel())))
        elif task is not None:
            task.cancel()

    loop.add_signal_handler(signal.SIGINT, on_ctrl_c)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
