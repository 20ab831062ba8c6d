"""One turn of a conversation: moves, one after another, until it is over."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from spine_core import StopReason
from temporalio import workflow
from temporalio.exceptions import ActivityError

from spine_temporal.contracts import names
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.contracts.run_end import Ending
from spine_temporal.contracts.run_id import Position
from spine_temporal.contracts.step import StepInput, StepSummary
from spine_temporal.contracts.tool_call import ToolInput, ToolSummary
from spine_temporal.journal.counters import failure, paused_ending, stopped_by_guard
from spine_temporal.journal.entries import StepBegun, StepDone, ToolBegun, ToolDone
from spine_temporal.journal.next_move import Finish, Move, Pause, RunTools, TakeStep, Wait, next_move
from spine_temporal.journal.replacing import replace
from spine_temporal.journal.tool_calls import Phase
from spine_temporal.workflow.approval_timeouts import expire_due, next_expiry_s
from spine_temporal.workflow.continue_as_new import continue_if_due, in_flight, is_due, is_long
from spine_temporal.workflow.current_details import call_summary, show, step_summary
from spine_temporal.workflow.execute import execute_activity
from spine_temporal.workflow.fairness import fairness
from spine_temporal.workflow.local_calls import LocalCalls
from spine_temporal.workflow.metrics import count_turn
from spine_temporal.workflow.open_session import refresh
from spine_temporal.workflow.segment_span import record_segment
from spine_temporal.workflow.session import Session
from spine_temporal.workflow.status import publish_status
from spine_temporal.workflow.subagents import await_subagent, run_subagent, stop_subagent
from spine_temporal.workflow.turn_end import is_first, mirror, run_end_hooks

# Who cancels does not wait for a checkpoint backend that is away.
_MIRROR_OF_CANCELLED: Final = ActivityPolicy(timeout_s=5.0, heartbeat_s=5.0, attempts=1)


class Turn:
    """Carries out what the journal says comes next; each fact becomes an entry before the next move."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._asked_to_stop: set[str] = set()
        self._local = LocalCalls(session)

    async def until_over(self) -> Ending:
        """Ask the model, run its tools, wait for people, until the turn is over."""
        try:
            ending = await self._moves()
        except (asyncio.CancelledError, ActivityError):
            await self._cut_off()
            raise
        # Continuing as new passes by: what works for the run goes on working.
        await self._cut_off()
        return ending

    async def end(self, ending: Ending, *, cancelled: bool = False) -> None:
        """Have the `on_run_end` hooks run, and the agent's own checkpoint written."""
        session = self._session
        await run_end_hooks(session, session.progress.ending if session.progress.over else ending)
        await record_segment(session, ending)
        recorded = session.progress.ending if session.progress.over else None
        count_turn(session.request.agent, (recorded or ending).reason)
        if session.spec.mirrored:
            await mirror(session, ending, _MIRROR_OF_CANCELLED if cancelled else session.spec.step_policy)

    async def _cut_off(self) -> None:
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await workflow.wait(tasks)
        for task in tasks:
            # Looked at, or its end is logged as an error that nobody retrieved.
            if not task.cancelled():
                task.exception()

    async def _moves(self) -> Ending:
        session = self._session
        paused_at = self._paused_at() if session.progress.paused else None
        self._attend_subagents()
        if session.progress.paused:
            ending = await self._stay_paused(paused_at)
            if ending is not None:
                return ending
        while True:
            continue_if_due(session)
            ending = await self._move()
            if ending is not None:
                return ending

    async def _move(self) -> Ending | None:
        show(self._session)
        match next_move(self._session.progress, elapsed_s=self._session.elapsed_s()):
            case TakeStep(step):
                await self._step(step)
            case RunTools(indices) if local := self._local.among(indices):
                # Until these are over, the turn does nothing else.
                await self._local.run(local, first=is_first(self._session) and not in_flight(self._session))
                self._attend_subagents()
            case RunTools((index,)) if not self._tasks:
                # By far the most frequent case, and nothing else can happen meanwhile.
                await self._call(index)
                self._attend_subagents()
            case RunTools() if is_long(self._session) and in_flight(self._session):
                await self._change()
            case RunTools(indices):
                for index in indices:
                    self._begin(f"call {index}", self._call(index))
                await self._change()
            case Wait():
                await self._change()
            case Pause(at):
                return await self._pause(at)
            case Finish(ending):
                return ending
        return None

    async def _step(self, step: int) -> None:
        session, spec, basis = self._session, self._session.spec, self._session.basis()
        task = StepInput(
            revision=basis.revision,
            order=basis.order,
            step=step,
            # More digits would be written into every history.
            elapsed_s=round(session.elapsed_s(), 3),
            first=is_first(session),
            tokens_every_s=session.progress.tokens_every_s,
            ui_text=session.request.ui_text,
            policy=spec.step_policy,
        )
        session.record(StepBegun(task))
        outcome = await execute_activity(
            names.STEP_ACTIVITY,
            task,
            StepSummary,
            spec.step_policy,
            activity_id=str(step),
            summary=step_summary(session, step),
            priority=fairness(session),
        )
        session.record(StepDone(outcome))
        self._local.begin_task()

    async def _call(self, index: int) -> None:
        session, spec, calls = self._session, self._session.spec, self._session.progress.calls
        if calls is None:
            return
        call, basis, step = calls.items[index], session.basis(), calls.step
        policy = call.planned.policy or spec.tool_policy
        task = ToolInput(
            revision=basis.revision,
            order=basis.order,
            step=step,
            index=index,
            name=call.planned.name,
            first=is_first(session) and not calls.busy,
            resumed=call.resumes,
            policy=policy,
        )
        session.record(ToolBegun(task))
        outcome = await execute_activity(
            names.TOOL_ACTIVITY,
            task,
            ToolSummary,
            policy,
            summary=call_summary(call),
            priority=fairness(session),
            activity_id=f"{step}.{index}" + (f" {call.begun}" if call.begun else ""),
        )
        session.record(ToolDone(step, index, outcome))
        self._local.begin_task()

    def _attend_subagents(self) -> None:
        """Wait for each agent that works for this one, beside everything else."""
        calls = self._session.progress.calls
        for index, call in enumerate(calls.items if calls is not None else ()):
            name = f"subagent {index}"
            if calls is None or call.phase is not Phase.DELEGATED or call.subagent is None or name in self._tasks:
                continue
            position = calls.position(index)
            if call.subagent.workflow_id:
                self._begin(name, await_subagent(self._session, position))
            elif call.subagent.status != "over":
                self._begin(name, run_subagent(self._session, position, call.subagent.delegation))

    def _begin(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._session.wake())

    async def _change(self) -> None:
        """Wait until another move may be possible."""
        session = self._session
        # What changes while the subagents are asked to stop counts, too: nothing else may ever wake this turn.
        before = session.changes
        await self._stop_subagents()
        due_s = next_expiry_s(session)
        wait_s = None if due_s is None else max(0.0, due_s - workflow.time())
        try:
            await workflow.wait_condition(
                lambda: session.changes != before or is_due(session),
                timeout=wait_s,
                timeout_summary="a decision is due",
            )
        except TimeoutError:
            expire_due(session)
        for name, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[name]
                task.result()
        self._attend_subagents()

    async def _stop_subagents(self) -> None:
        while (position := self._next_to_stop()) is not None:
            self._asked_to_stop.add(str(position))
            await stop_subagent(self._session, position)

    def _next_to_stop(self) -> Position | None:
        """The first subagent that has yet to be asked to end; None: there is none."""
        progress = self._session.progress
        calls = progress.calls if progress.stop_requested else None
        for index, call in enumerate(calls.items if calls is not None else ()):
            started = call.phase is Phase.DELEGATED and call.subagent is not None and call.subagent.workflow_id
            if calls is not None and started and str(calls.position(index)) not in self._asked_to_stop:
                return calls.position(index)
        return None

    async def _pause(self, at: int) -> Ending | None:
        """Wait for a person; the ending if the turn does not go on."""
        session = self._session
        paused_at, index = self._paused_at(), None if session.spec.team is not None else at
        await run_end_hooks(session, paused_ending(), at=index)
        if session.progress.over:
            return session.progress.ending
        await record_segment(session, paused_ending())
        publish_status(session, "paused", ending=paused_ending(), at=index)
        return await self._stay_paused(paused_at)

    def _paused_at(self) -> tuple[int, int] | None:
        """The call that the turn waits for, with the number of the status of the agent that works on it."""
        move, calls = self._if_it_went_on(), self._session.progress.calls
        if not isinstance(move, Pause) or calls is None:
            return None
        subagent = calls.items[move.index].subagent
        return move.index, subagent.number if subagent is not None else 0

    async def _stay_paused(self, paused_at: tuple[int, int] | None) -> Ending | None:
        """Wait for another move than that pause; an agent below may have gone on, and paused anew, by now."""
        session = self._session
        while paused_at is not None and self._paused_at() == paused_at and session.progress.failed is None:
            continue_if_due(session)
            await self._change()
        if session.progress.failed is not None:
            return session.progress.failed
        if session.progress.stop_requested and isinstance(self._if_it_went_on(), Finish):
            return stopped_by_guard(StopReason.CANCELLED)
        if session.spec.team is None:
            await refresh(session)
        publish_status(session, "running")
        return None

    def _if_it_went_on(self) -> Move:
        return next_move(replace(self._session.progress, ending=None), elapsed_s=0.0)


def lost(error: BaseException) -> Ending:
    """The ending of a turn whose activity failed before our code was reached."""
    return failure(str(error.__cause__ or error))
