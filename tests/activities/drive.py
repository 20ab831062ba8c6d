"""A run without Temporal: the moves of the journal carried out by the activities' own core, one after another."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from spine_core import Agent, Result, TraceEvent

from spine_temporal.activities.ending_run import end_run
from spine_temporal.activities.running_tool import ToolRun
from spine_temporal.activities.taking_step import Step
from spine_temporal.agents.spec import spec_of
from spine_temporal.contracts.ending import Ending, EndInput
from spine_temporal.contracts.opening import AgentSpec, RunRequest
from spine_temporal.contracts.policy import ActivityPolicy
from spine_temporal.contracts.step import StepInput, StepOutcome, StepVerdict
from spine_temporal.contracts.tool import ToolInput, ToolOutcome, ToolVerdict
from spine_temporal.contracts.wire import dump, load
from spine_temporal.journal.decide import Finish, RunTools, TakeStep, decide
from spine_temporal.journal.entries import (
    Closed,
    EndBegun,
    EndDone,
    Entry,
    Opened,
    Requested,
    StepBegun,
    StepDone,
    ToolBegun,
    ToolDone,
)
from spine_temporal.journal.ledger import Ledger, apply
from spine_temporal.journal.progress import Progress, after_step, after_tool
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
        self.progress = after_step(self.progress, load(StepVerdict, written), parallel=self.spec.parallel_tools)

    async def tools(self, indices: Sequence[int]) -> None:
        head, step, state = self.progress.head, self.ledger.state.step, self.ledger.state
        done: list[tuple[int, bytes]] = []
        for index in indices:
            call = self.ledger.calls[index]
            self.add(ToolBegun(ToolInput(agent="agent", head=head, step=step, index=index, name=call.name)))
            run = ToolRun(self.agent, state, call, index)
            await run.run()
            done.append((index, dump(run.outcome(f"tool {step}.{index}"))))
        for index, written in done:
            self.add(ToolDone(index, load(ToolOutcome, written)))
            self.progress, _ = after_tool(self.progress, index, load(ToolVerdict, written))

    async def end(self, ending: Ending) -> None:
        if "on_run_end" in self.spec.hooks or self.first:
            task = EndInput(agent="agent", head=self.progress.head, ending=ending, first=self.first)
            self.add(EndBegun(task))
            self.add(EndDone(await end_run(self.agent, self.ledger, self.trace, task, "end")))
        else:
            self.add(Closed(ending))


async def drive(agent: Agent, input: str) -> Result:
    """The Result of a run of `agent` on `input`."""
    spec = spec_of("agent", agent, step_policy=ActivityPolicy(), tool_policy=ActivityPolicy())
    request = RunRequest(agent="agent", input=input)
    run = Driven(agent, spec)
    run.add(Requested(request, "s1"), Opened(request, "s1", spec))
    while True:
        match decide(run.progress, spec, elapsed_s=0.0, stop=False):
            case TakeStep(number):
                await run.step(number)
            case RunTools(indices):
                await run.tools(indices)
            case Finish(ending):
                await run.end(ending)
                return result_of(run.ledger, run.trace)
        assert (run.progress.head, run.progress.usage) == (run.ledger.progress.head, run.ledger.state.usage)
