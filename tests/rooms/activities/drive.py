"""A run without Temporal: the moves of the journal carried out by the activities' own core, one after another."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from spine_core import Agent, Result, TraceEvent
from spine_temporal.journal.calls import settled_as

from spine_temporal.activities.resumption import resumption
from spine_temporal.activities.run_end import end_run
from spine_temporal.activities.step import Step
from spine_temporal.activities.tool_call import ToolRun
from spine_temporal.agents.spec import spec_of
from spine_temporal.contracts.approval import DecideRequest
from spine_temporal.contracts.base import dump, load
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.contracts.run_end import Ending, EndInput
from spine_temporal.contracts.run_request import AgentSpec, RunRequest
from spine_temporal.contracts.status import StatusRecord
from spine_temporal.contracts.step import StepInput, StepOutcome, StepSummary
from spine_temporal.contracts.tool_call import ToolInput, ToolOutcome, ToolSummary
from spine_temporal.journal.apply import apply
from spine_temporal.journal.approvals import judged
from spine_temporal.journal.entries import (
    Closed,
    Decided,
    EndBegun,
    EndDone,
    Entry,
    Opened,
    Requested,
    StatusChanged,
    StepBegun,
    StepDone,
    ToolBegun,
    ToolDone,
)
from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.next_move import Finish, Pause, RunTools, TakeStep, Wait, decide
from spine_temporal.journal.progress import (
    Progress,
    after_end,
    after_standing,
    after_step,
    after_tool,
    after_tool_begun,
    concluded,
    pause,
)
from spine_temporal.journal.result import result_of


@dataclass
class Driven:
    """A run in hand: what the fold knows of it, what the workflow knows of it."""

    agent: Agent
    spec: AgentSpec
    ledger: Ledger = field(default_factory=Ledger)
    progress: Progress = field(default_factory=Progress)
    trace: list[TraceEvent] = field(default_factory=list)

    @property
    def first(self) -> bool:
        return "on_run_start" in self.spec.hooks and not self.progress.begun

    def add(self, *entries: Entry) -> None:
        for entry in entries:
            self.ledger, told = apply(self.ledger, entry)
            for event in told:
                self.trace.append(
                    TraceEvent(seq=len(self.trace), type=event.type, step=event.step, ts=0.0, data=event.data)
                )

    async def step(self, number: int) -> None:
        task = StepInput(agent="agent", head=self.progress.head, step=number, elapsed_s=0.0, first=self.first)
        step = Step(self.agent, self.ledger.state, task, lambda: 0.0)
        await step.take()
        written = dump(step.outcome(f"step {number}"))
        self.add(StepBegun(task), StepDone(load(StepOutcome, written)))
        self.progress = after_step(self.progress, load(StepSummary, written), parallel=self.spec.parallel_tools)

    async def tools(self, indices: Sequence[int]) -> None:
        done: list[tuple[int, bytes]] = []
        for index in indices:
            task = self._task(index)
            self.progress = after_tool_begun(self.progress, task)
            self.add(ToolBegun(task))
            run = ToolRun(
                self.agent,
                self.ledger.state,
                self.ledger.calls[index],
                index,
                resumption=resumption(self.ledger, task),
                first=task.first and not done,
            )
            await run.run()
            done.append((index, dump(run.outcome(f"tool {task.step}.{index} {task.after}"))))
        for index, written in done:
            self.add(ToolDone(index, load(ToolOutcome, written)))
            self.progress, _ = after_tool(self.progress, index, load(ToolSummary, written))

    def _task(self, index: int) -> ToolInput:
        batch = self.progress.batch
        assert batch is not None
        return ToolInput(
            agent="agent",
            head=self.progress.head,
            step=self.progress.step,
            index=index,
            name=batch.calls[index].name,
            first=self.first,
            after=batch.after(index),
        )

    async def end(self, ending: Ending) -> None:
        if "on_run_end" in self.spec.hooks or self.first:
            await self._hooks(EndInput(agent="agent", head=self.progress.head, ending=ending, first=self.first))
        else:
            self.add(Closed(ending))

    async def pause(self, at: int) -> None:
        ending = pause()
        self.progress = concluded(self.progress, ending)
        if "on_run_end" in self.spec.hooks or self.first:
            head = self.progress.head
            await self._hooks(EndInput(agent="agent", head=head, ending=ending, first=self.first, at=at))
        if self.progress.paused:
            self._stand("paused", ending=ending, at=at)

    def resume(self, answer: Any) -> None:
        """What a decision does, and the workflow once it has one."""
        self.decide(answer)
        self.go_on()

    def go_on(self) -> None:
        """What the workflow does once the call that it is paused at is decided."""
        self.trace.clear()
        self._stand("running")

    def decide(self, answer: Any, call: str | None = None) -> None:
        """What a decision does; `call` None means the one that the run is paused at."""
        batch, request = self.progress.batch, DecideRequest(call=call, answer=answer)
        id_ = f"decision {len(self.ledger.decisions)}"
        index, verdict, decided = judged(self.progress, request, id_)
        assert batch is not None
        settled = settled_as(batch, index, decided, request)
        self.progress = self.progress.with_batch(batch.with_verdict(index, verdict, settled))
        self.add(Decided(id_, request, decided))

    async def until_it_stops(self) -> Result:
        """The Result at the next stop; of a run that is paused, the one it has."""
        while not self.progress.paused:
            match decide(self.progress, self.spec, elapsed_s=0.0, stop=False):
                case TakeStep(number):
                    await self.step(number)
                case RunTools(indices):
                    await self.tools(indices)
                case Pause(at):
                    await self.pause(at)
                case Finish(ending):
                    await self.end(ending)
                    return result_of(self.ledger, list(self.trace))
                case Wait():
                    raise AssertionError("there is nothing to wait for: whatever begins is done at once")
            assert (self.progress.head, self.progress.usage) == (self.ledger.progress.head, self.ledger.state.usage)
            assert self._loose(self.progress) == self._loose(self.ledger.progress)
        return result_of(self.ledger, list(self.trace))

    def _stand(self, status: Any, *, ending: Ending | None = None, at: int | None = None) -> None:
        number = self.progress.standings + 1
        standing = StatusRecord(agent="agent", session_id="s1", status=status, number=number, ending=ending, at=at)
        self.progress = after_standing(self.progress, standing)
        self.add(StatusChanged(standing))

    async def _hooks(self, task: EndInput) -> None:
        self.add(EndBegun(task))
        outcome = await end_run(self.agent, self.ledger, list(self.trace), task, f"end {self.progress.standings}")
        self.add(EndDone(outcome))
        self.progress = after_end(self.progress, outcome)

    def _loose(self, progress: Progress) -> Progress:
        """The workflow keeps verdicts in the batch, the fold whole outcomes."""
        batch = progress.batch
        return replace(progress, batch=replace(batch, outcomes={}, asks=dict.fromkeys(batch.asks)) if batch else None)  # type: ignore[arg-type]


def driven(agent: Agent, input: str) -> Driven:
    """A run of `agent` on `input` that has not begun."""
    spec = spec_of("agent", agent, step_policy=ActivityPolicy(), tool_policy=ActivityPolicy())
    request = RunRequest(agent="agent", input=input)
    run = Driven(agent, spec)
    run.add(Requested(request, "s1"), Opened(request, "s1", spec))
    return run


async def drive(agent: Agent, input: str) -> Result:
    """The Result of a run of `agent` on `input`, at its first stop."""
    return await driven(agent, input).until_it_stops()
