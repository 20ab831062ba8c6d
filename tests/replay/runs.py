"""Typical runs, one per name. A version's histories are recorded from these."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from spine_core import Agent, Guards, Interrupt, Result, State, ToolContext, tool
from spine_core.testing import ScriptedProvider, calls, text
from spine_middleware import LoopGuard

from spine_temporal import Decision
from spine_temporal.client.run import Run
from tests.support.agents_at_hand import Gate, add


@tool
async def shout(text: str) -> str:
    """Say it louder."""
    return text.upper()


class Counting:
    """A middleware that counts in scratch, at the beginning, around tools, at the end."""

    async def on_run_start(self, state: State) -> None:
        state.scratch["count"] = {"tools": 0, "seen": []}

    async def before_tool(self, ctx: ToolContext) -> None:
        ctx.args["b"] = 40

    async def after_tool(self, ctx: ToolContext) -> None:
        ctx.state.scratch["count"]["tools"] += 1
        ctx.state.scratch["count"]["seen"].append(ctx.result)

    async def on_run_end(self, state: State, result: Result) -> None:
        state.scratch["reason"] = result.stopped_reason.value
        result.answer = f"{result.answer}, so far"


async def left_alone(_: Run) -> None:
    """Nothing is done to the run."""


@dataclass(frozen=True)
class Recorded:
    """An agent, with what is done to its run while it goes on."""

    agent: Agent
    meanwhile: Callable[[Run], Awaitable[None]] = field(default=left_alone)


def tools() -> Recorded:
    """Three steps with tools: one after another, one that is not there, one that fails."""
    return Recorded(
        Agent(
            ScriptedProvider(
                calls(("add", {"a": 1, "b": 2}), ("shout", {"text": "otters"}), content="let me see"),
                calls(("nowhere", {}), ("add", {"a": "x"})),
                text("3 OTTERS"),
            ),
            tools=[add, shout],
            system="be brief",
            tenant_id="acme",
            middleware=[LoopGuard()],
        )
    )


def parallel_tools() -> Recorded:
    """Three calls side by side."""
    wish = calls(("add", {"a": 1, "b": 2}), ("shout", {"text": "otters"}), ("add", {"a": 3, "b": 4}))
    return Recorded(Agent(ScriptedProvider(wish, text("done")), tools=[add, shout], parallel_tools=True))


def guard_trip() -> Recorded:
    """A guard trips; hooks run at the beginning, around tools, at the end."""
    wish = calls(("add", {"a": 1, "b": 2}), content="adding")
    return Recorded(
        Agent(ScriptedProvider(wish), tools=[add], guards=Guards(max_steps=2), middleware=[Counting()]),
    )


def cancelled() -> Recorded:
    """The run is cancelled in the midst of a tool; hooks run at the end."""
    gate = Gate()

    @tool
    async def wait() -> str:
        """Wait until the run is over."""
        await gate.pass_through()
        return "never"

    async def cancel(run: Run) -> None:
        await gate.begun.wait()
        await run.cancel()

    wish = calls(("wait", {}), content="waiting")
    return Recorded(Agent(ScriptedProvider(wish), tools=[wait], middleware=[Counting()]), cancel)


@tool(approve=True)
async def pay(amount: int) -> str:
    """Pay."""
    return f"paid {amount}"


@tool
async def ask(what: str) -> str:
    """Ask a person."""
    raise Interrupt({"what": what})


async def decide_on_all(run: Run) -> None:
    """The second call first, by edited arguments; then the others, one by one."""
    await run.result()
    await run.decide(Decision(arguments={"amount": 45}, decided_by="anna", reason="half"), "1.2")
    await run.decide("yes", "1.0")
    await run.result()
    await run.decide("otters", "1.1")


def approvals() -> Recorded:
    """Three calls that people decide on, in another order than the model's; hooks run at every stop."""
    wish = calls(("pay", {"amount": 7}), ("ask", {"what": "animal?"}), ("pay", {"amount": 90}))
    agent = Agent(ScriptedProvider(wish, text("done")), tools=[pay, ask], middleware=[Pausing()])
    return Recorded(agent, decide_on_all)


class Pausing:
    """A middleware that counts beginnings and stops."""

    async def on_run_start(self, state: State) -> None:
        state.scratch["begun"] = state.scratch.get("begun", 0) + 1

    async def on_run_end(self, state: State, result: Result) -> None:
        state.scratch.setdefault("stops", []).append(result.stopped_reason.value)


def interrupts_side_by_side() -> Recorded:
    """Two tools that ask while a third one works."""

    async def answer(run: Run) -> None:
        await run.result()
        await run.decide("seals", "1.2")
        await run.decide("otters", "1.0")

    wish = calls(("ask", {"what": "first?"}), ("add", {"a": 1, "b": 2}), ("ask", {"what": "second?"}))
    return Recorded(Agent(ScriptedProvider(wish, text("done")), tools=[ask, add], parallel_tools=True), answer)


def delegation() -> Recorded:
    """An agent that another one works for, seen from above; a hook sees what it gives back."""
    helper = Agent(ScriptedProvider(text("three otters")))
    wish = calls(("helper", {"input": "count"}), ("helper", {}))
    agent = Agent(
        ScriptedProvider(wish, text("there are three")),
        tools=[helper.as_tool(name="helper")],
        middleware=[Counting()],
        guards=Guards(max_cost_usd=1.0),
    )
    return Recorded(agent)


def started_with_search_attributes() -> Recorded:
    """A run whose start says all that its worker knows: it does not set them when it begins."""
    return Recorded(Agent(ScriptedProvider(calls(("add", {"a": 1, "b": 2})), text("3")), tools=[add]))


RUNS: Final = {
    make.__name__: make
    for make in (
        tools,
        parallel_tools,
        guard_trip,
        cancelled,
        approvals,
        interrupts_side_by_side,
        delegation,
        started_with_search_attributes,
    )
}
