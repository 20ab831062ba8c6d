"""One turn of a conversation: moves, one after another, until it is over."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from spine_core import StopReason
from temporalio import workflow
from temporalio.exceptions import ActivityError

from spine_temporal.contracts import names
from spine_temporal.contracts.run_end import Ending, EndInput, EndOutcome, Mirrored, MirrorInput
from spine_temporal.contracts.step import StepInput, StepSummary
from spine_temporal.contracts.subagent import SubagentOutcome
from spine_temporal.contracts.tool_call import ToolInput, ToolSummary
from spine_temporal.journal.calls import delegated, returns_to_hook, with_returned
from spine_temporal.journal.next_move import Finish, Move, Pause, RunTools, TakeStep, Wait, decide
from spine_temporal.journal.progress import (
    Progress,
    after_end,
    after_step,
    after_tool,
    after_tool_begun,
    concluded,
    pause,
    trip,
)
from spine_temporal.workflow.approval_timeouts import expire, next_deadline_s, set_deadline
from spine_temporal.workflow.continue_as_new import continue_if_due, is_due
from spine_temporal.workflow.execute import execute_activity
from spine_temporal.workflow.open_session import refresh
from spine_temporal.workflow.session import Conversation
from spine_temporal.workflow.status import stand
from spine_temporal.workflow.subagents import run_child, stop_child, watch_child


class Turn:
    """Carries out what the journal decides."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._told_to_stop: set[str] = set()

    async def until_over(self) -> Ending:
        """Ask the model, run its tools, wait for people, until somebody says stop."""
        try:
            ending = await self._moves()
        except (asyncio.CancelledError, ActivityError):
            await self._cut_off()
            raise
        await self._cut_off()
        return ending

    async def end(self, ending: Ending) -> None:
        """Have the hooks of `on_run_end` run, and the agent's own checkpoint written."""
        conversation = self._conversation
        progress = conversation.progress
        if progress.ending is None or progress.paused:
            conversation.progress = concluded(progress, ending)
        await self._hooks(conversation.over())
        if conversation.spec.mirrored:
            await self._mirror()

    async def _mirror(self) -> None:
        conversation = self._conversation
        spec, progress = conversation.spec, conversation.progress
        task = MirrorInput(agent=spec.agent, head=progress.head, ending=conversation.over())
        done = await execute_activity(
            names.MIRROR_ACTIVITY, task, Mirrored, spec.step_policy, activity_id=f"mirror {progress.turn}"
        )
        if done.error is not None:
            workflow.logger.warning("the turn is not in the agent's checkpoint backend: %s", done.error)

    async def _cut_off(self) -> None:
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await workflow.wait(tasks)

    async def _moves(self) -> Ending:
        conversation = self._conversation
        stood = self._stands_at()
        self._attend_children()
        ending = await self._stay_paused(stood) if conversation.progress.paused else None
        while ending is None:
            continue_if_due(conversation)
            if conversation.failed is not None and not conversation.in_flight:
                return conversation.failed
            ending = await self._move()
        return ending

    async def _move(self) -> Ending | None:
        match self._decided(self._conversation.progress, elapsed_s=self._conversation.elapsed_s()):
            case TakeStep(step):
                await self._step(step)
            case RunTools((index,)) if not self._tasks:
                # By far the most frequent case, and nothing else can happen meanwhile.
                await self._call(index)
                self._attend_children()
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

    def _first(self) -> bool:
        return "on_run_start" in self._conversation.spec.hooks and not self._conversation.progress.begun

    async def _step(self, step: int) -> None:
        conversation = self._conversation
        spec = conversation.spec
        task = StepInput(
            agent=spec.agent,
            head=conversation.progress.head,
            step=step,
            elapsed_s=conversation.elapsed_s(),
            first=self._first(),
        )
        verdict = await execute_activity(
            names.STEP_ACTIVITY, task, StepSummary, spec.step_policy, activity_id=str(step)
        )
        conversation.progress = after_step(conversation.progress, verdict, parallel=spec.parallel_tools)
        conversation.changed()

    async def _call(self, index: int) -> None:
        conversation = self._conversation
        progress, spec = conversation.progress, conversation.spec
        batch, step = progress.batch, progress.step
        if batch is None:
            return
        name, after = batch.calls[index].name, batch.after(index)
        verdict = batch.verdicts.get(index)
        task = ToolInput(
            agent=spec.agent,
            head=progress.head,
            step=step,
            index=index,
            name=name,
            first=self._first() and not conversation.in_flight,
            after=after,
            expiry=verdict.expiry if verdict is not None and after == verdict.id else None,
        )
        conversation.progress = after_tool_begun(progress, task)
        if after is not None:
            task = task.model_copy(update={"head": conversation.progress.head})
        conversation.in_flight.add(index)
        try:
            outcome = await execute_activity(
                names.TOOL_ACTIVITY,
                task,
                ToolSummary,
                spec.tool_policy,
                summary=name,
                activity_id=f"{step}.{index}" + (f" {after}" if after else ""),
            )
        finally:
            conversation.in_flight.discard(index)
        conversation.progress, _ = after_tool(conversation.progress, index, outcome)
        conversation.changed()
        if outcome.asks is not None:
            set_deadline(conversation, index)

    def _attend_children(self) -> None:
        """Wait for each agent that works for this one, beside everything else."""
        conversation = self._conversation
        batch = conversation.progress.batch
        for index in [] if batch is None else [each for each in batch.children if each not in batch.returned]:
            if f"child {index}" in self._tasks:
                continue
            position = f"{conversation.progress.step}.{index}"
            if position not in conversation.children:
                # Until it has begun, this workflow must not continue as new.
                conversation.in_flight.add(index)
            self._begin(f"child {index}", self._child(position, index))

    async def _child(self, position: str, index: int) -> None:
        conversation = self._conversation
        batch = conversation.progress.batch
        delegation = batch.children[index].delegates if batch is not None else None
        if delegation is None:
            return
        try:
            if position in conversation.children:
                outcome = await watch_child(conversation, position)
            else:
                outcome = await run_child(conversation, position, delegation)
        finally:
            conversation.in_flight.discard(index)
            conversation.children.discard(position)
        self._returned(index, outcome)

    def _returned(self, index: int, outcome: SubagentOutcome) -> None:
        conversation = self._conversation
        progress = conversation.progress
        if returns_to_hook(progress, index):
            conversation.progress = with_returned(progress, index, outcome)
        else:
            conversation.progress, _ = after_tool(progress, index, delegated(progress, index, outcome))

    def _begin(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._conversation.changed())

    async def _change(self) -> None:
        """Wait until another move may be possible."""
        conversation = self._conversation
        await self._stop_children()
        seen = conversation.changes
        deadline_s = next_deadline_s(conversation)
        wait_s = None if deadline_s is None else max(0.0, deadline_s - workflow.time())
        try:
            await workflow.wait_condition(
                lambda: conversation.changes != seen or is_due(conversation),
                timeout=wait_s,
            )
        except TimeoutError:
            expire(conversation)
        for name, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[name]
                task.result()
        self._attend_children()

    async def _stop_children(self) -> None:
        conversation = self._conversation
        for position in sorted(conversation.children - self._told_to_stop) if conversation.stop else ():
            self._told_to_stop.add(position)
            await stop_child(position)

    async def _pause(self, at: int) -> Ending | None:
        """Wait for a person; the ending if the turn does not go on."""
        conversation = self._conversation
        conversation.rest()
        ending, stood = pause(), self._stands_at()
        conversation.progress = concluded(conversation.progress, ending)
        conversation.standings_due = 1
        await self._hooks(ending, at=at)
        conversation.standings_due = 0
        if not conversation.progress.paused:
            return conversation.progress.ending
        stand(conversation, "paused", ending=ending, at=at, interrupt=conversation.asked(at))
        return await self._stay_paused(stood)

    def _stands_at(self) -> tuple[int, int] | None:
        """The call that the turn waits for, with the number of the standing of the agent that works on it."""
        move, batch = self._if_it_went_on(), self._conversation.progress.batch
        return (move.index, batch.paused.get(move.index, 0)) if isinstance(move, Pause) and batch else None

    async def _stay_paused(self, stood: tuple[int, int] | None) -> Ending | None:
        """Wait for another move than that pause; an agent below may have gone on, and paused anew, by now."""
        conversation = self._conversation
        while stood is not None and self._stands_at() == stood and conversation.failed is None:
            continue_if_due(conversation)
            await self._change()
        if conversation.failed is not None:
            return conversation.failed
        if conversation.stop and isinstance(self._if_it_went_on(), Finish):
            return trip(StopReason.CANCELLED)
        await refresh(conversation)
        stand(conversation, "running")
        conversation.work()
        return None

    def _if_it_went_on(self) -> Move:
        return self._decided(replace(self._conversation.progress, ending=None), elapsed_s=0.0)

    def _decided(self, progress: Progress, *, elapsed_s: float) -> Move:
        conversation = self._conversation
        in_flight = frozenset(conversation.in_flight)
        return decide(progress, conversation.spec, elapsed_s=elapsed_s, stop=conversation.stop, in_flight=in_flight)

    async def _hooks(self, ending: Ending, *, at: int | None = None) -> None:
        conversation = self._conversation
        spec, progress = conversation.spec, conversation.progress
        first = self._first()
        if "on_run_end" not in spec.hooks and not first:
            return
        task = EndInput(agent=spec.agent, head=progress.head, ending=ending, first=first, at=at)
        outcome = await execute_activity(
            names.END_ACTIVITY, task, EndOutcome, spec.step_policy, activity_id=self._end_id(paused=at is not None)
        )
        conversation.progress = after_end(progress, outcome)

    def _end_id(self, *, paused: bool) -> str:
        progress = self._conversation.progress
        number = progress.standings
        # The first execution of a run that never stopped before calls it "end", as all did before there were pauses.
        return f"{'pause' if paused else 'end'}{f' {number}' if number else ''}"
