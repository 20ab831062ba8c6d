"""Whatever hooks leave behind, an activity reports an outcome that can be read. One that fails is tried for ever."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from spine_core import Agent, Message, ModelResponse, State, StepContext, StopReason, ToolContext, Usage, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.client import Client
from temporalio.common import RawValue
from temporalio.testing import ActivityEnvironment

from spine_temporal import SpinePlugin
from spine_temporal.contracts.run_request import OpenInput, RunRequest
from spine_temporal.contracts.step import StepInput, StepOutcome
from spine_temporal.contracts.tool_call import ToolInput, ToolOutcome
from spine_temporal.journal.ledger import Ledger
from spine_temporal.payloads import pack, unpack


class Worker:
    """The activities of one agent, called as a worker calls them; no server."""

    def __init__(self, agent: Agent) -> None:
        self._activities = SpinePlugin({"agent": agent}, search_attributes=False).activities_of_agents
        self._environment: ActivityEnvironment | None = None

    @property
    def kept(self) -> Ledger:
        """What the worker remembers of the run."""
        ledger = self._activities.cache.peek(("test", "test-run"))
        assert ledger is not None
        return ledger

    async def step(self) -> StepOutcome:
        await self._run(self._activities.open, pack(OpenInput(request=RunRequest(agent="agent", input="go"))))
        task = StepInput(revision=self.kept.progress.revision, step=1, elapsed_s=0.0)
        return unpack(StepOutcome, await self._run(self._activities.step, pack(task)))

    async def tool(self) -> ToolOutcome:
        task = ToolInput(revision=self.kept.progress.revision, step=1, index=0, name="find")
        return unpack(ToolOutcome, await self._run(self._activities.tool, pack(task)))

    async def _run(self, activity: Callable[[RawValue], Any], task: RawValue) -> RawValue:
        # Lazy: it never connects, but it has a converter.
        client = await Client.connect("localhost:1", lazy=True)
        self._environment = self._environment or ActivityEnvironment(client=client)
        result = await self._environment.run(activity, task)
        assert isinstance(result, RawValue)
        return result


class Hook:
    """A middleware that does one thing to the State, after the model or after a tool."""

    def __init__(
        self, *, model: Callable[[State], object] | None = None, tool: Callable[[State], object] | None = None
    ):
        self._model, self._tool = model, tool

    async def after_model(self, ctx: StepContext) -> None:
        if self._model is not None:
            self._model(ctx.state)

    async def after_tool(self, ctx: ToolContext) -> None:
        if self._tool is not None:
            self._tool(ctx.state)


@tool
async def find() -> str:
    """Find something."""
    return "an otter"


def wrong_text(state: State) -> None:
    state.messages[0].content = 5  # type: ignore[assignment]


def half_a_character(state: State) -> None:
    state.messages.append(Message.user("\ud83e"))


def opaque(state: State) -> None:
    state.scratch["client"] = object()


def circular(state: State) -> None:
    state.scratch["self"] = state.scratch


def wrong_step(state: State) -> None:
    state.step = "two"  # type: ignore[assignment]


def part_of_a_token(state: State) -> None:
    state.usage.input_tokens = 1.5  # type: ignore[assignment]


def no_number(state: State) -> None:
    state.usage.cost_usd = float("nan")


POISON = [
    opaque,
    circular,
    wrong_text,
    part_of_a_token,
    wrong_step,
]
pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")


@pytest.mark.parametrize("poison", POISON)
async def test_step_that_nobody_could_read_ends_the_run_with_an_error(poison: Callable[[State], None]) -> None:
    worker = Worker(Agent(ScriptedProvider(text("done")), middleware=[Hook(model=poison)]))

    outcome = await worker.step()

    assert outcome.ending is not None
    assert outcome.ending.reason is StopReason.ERROR


@pytest.mark.parametrize("poison", POISON)
async def test_tool_whose_outcome_nobody_could_read_is_an_error_that_the_model_reads(
    poison: Callable[[State], None],
) -> None:
    provider = ScriptedProvider(calls(("find", {})), text("done"))
    worker = Worker(Agent(provider, tools=[find], middleware=[Hook(tool=poison)]))

    await worker.step()
    outcome = await worker.tool()

    assert outcome.content.startswith("Error executing tool 'find': ")
    assert outcome.delta.messages == []


@pytest.mark.parametrize("odd", [half_a_character, no_number])
async def test_odd_text_and_numbers_do_not_lose_what_was_paid_for(odd: Callable[[State], None]) -> None:
    provider = ScriptedProvider(calls(("find", {})), text("done"))
    worker = Worker(Agent(provider, tools=[find], middleware=[Hook(model=odd, tool=odd)]))

    step = await worker.step()
    outcome = await worker.tool()

    assert step.ending is None
    assert [call.name for call in step.calls] == ["find"]
    assert outcome.content == "an otter"


@pytest.mark.parametrize("cost_usd", [math.inf, -math.inf, math.nan])
async def test_cost_that_is_no_number_is_recorded_as_it_is(cost_usd: float) -> None:
    answer = ModelResponse(message=Message.assistant("done"), usage=Usage(cost_usd=cost_usd))

    outcome = await Worker(Agent(ScriptedProvider(answer))).step()

    assert outcome.ending is not None
    assert outcome.ending.reason is StopReason.FINAL
    assert repr(outcome.usage.cost_usd) == repr(cost_usd)


async def test_worker_keeps_the_outcome_as_the_history_has_it() -> None:
    def remember(state: State) -> None:
        state.scratch["found"] = {"otters": (1, 2), 3: "three"}

    worker = Worker(Agent(ScriptedProvider(text("done")), middleware=[Hook(model=remember)]))
    outcome = await worker.step()

    assert outcome.delta.scratch == {"in": {"found": {"grow": {"otters": [1, 2]}, "set": {"3": "three"}}}}
    assert worker.kept.state.scratch == {"found": {"otters": [1, 2], "3": "three"}}
