"""What passes by itself is tried again; what does not ends the run at once."""

from typing import Any

import httpx
import pytest
from spine_core import Agent, Message, ModelResponse, State, StepContext, StopReason, StopRun
from spine_core.testing import ScriptedProvider, text

from spine_temporal import ActivityPolicy
from spine_temporal.contracts import names
from tests.support.harness import Durable, activities_in, history_of, told

pytestmark = pytest.mark.durable

SOON = ActivityPolicy(attempts=3, retry_first_s=0.01)


class Failing:
    """A model that raises the errors it was given, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.asked = 0

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return text("at last")


def answered(status: int, **headers: str) -> httpx.HTTPStatusError:
    request = httpx.Request("POST", "http://model.test/v1")
    response = httpx.Response(status, headers=headers, request=request)
    return httpx.HTTPStatusError(f"HTTP {status}", request=request, response=response)


async def test_a_passing_failure_is_tried_again_and_leaves_no_trace_in_the_state(durable: Durable) -> None:
    model = Failing(httpx.ConnectError("refused"), answered(429, **{"retry-after": "0"}))
    served = durable(Agent(model), step_policy=SOON)

    result = await served.run("go")

    assert (result.answer, model.asked) == ("at last", 3)
    assert [type_ for type_, _, _ in told(result)] == ["step_start", "model_call", "model_response", "final"]
    assert activities_in(await history_of(durable.client, served.runs[0])) == [names.STEP_ACTIVITY]


async def test_a_lasting_failure_ends_the_run_at_once_as_on_the_kernel(durable: Durable) -> None:
    model = Failing(answered(401))

    result = await durable(Agent(model), step_policy=SOON).run("go")

    assert (result.stopped_reason, result.error, model.asked) == (StopReason.ERROR, "HTTP 401", 1)


async def test_a_failure_that_will_not_pass_gives_the_kernels_result_in_the_end(durable: Durable) -> None:
    model = Failing(*[httpx.ReadTimeout("too slow") for _ in range(9)])

    ours = await durable(Agent(model), step_policy=SOON).run("go")

    theirs = await Agent(Failing(httpx.ReadTimeout("too slow"))).run("go")
    assert model.asked == SOON.attempts
    assert (ours.stopped_reason, ours.error, told(ours)) == (theirs.stopped_reason, theirs.error, told(theirs))


class Clumsy:
    """A middleware that raises in one hook."""

    def __init__(self, hook: str, error: Exception) -> None:
        async def raising(*_: object) -> None:
            raise error

        setattr(self, hook, raising)


@pytest.mark.parametrize("hook", ["on_run_start", "before_model", "after_model"])
async def test_a_hook_with_a_bug_ends_the_run_and_is_named(durable: Durable, hook: str) -> None:
    agent = Agent(ScriptedProvider(text("x")), middleware=[Clumsy(hook, KeyError("colour"))])

    result = await durable(agent).run("go")

    assert (result.stopped_reason, result.error) == (StopReason.ERROR, f"{hook} raised KeyError: 'colour'")


async def test_a_bug_in_on_run_end_leaves_the_result_and_shows_in_the_trace(durable: Durable) -> None:
    agent = Agent(ScriptedProvider(text("x")), middleware=[Clumsy("on_run_end", KeyError("colour"))])

    result = await durable(agent).run("go")

    assert (result.stopped_reason, result.answer) == (StopReason.FINAL, "x")
    assert told(result)[-1][2]["error"] == "on_run_end raised KeyError: 'colour'"


@pytest.mark.parametrize("hook", ["on_run_start", "on_run_end"])
async def test_stop_run_works_from_the_hooks_around_a_run_too(durable: Durable, hook: str) -> None:
    stop = StopRun(StopReason.GUARDRAIL, "closed on sundays")
    agent = Agent(ScriptedProvider(text("x")), middleware=[Clumsy(hook, stop)])

    result = await durable(agent).run("go")

    assert (result.stopped_reason, result.answer) == (StopReason.GUARDRAIL, "closed on sundays")


async def test_scratch_that_json_cannot_hold_ends_the_run_and_says_so(durable: Durable) -> None:
    class Hoarder:
        async def before_model(self, ctx: StepContext) -> None:
            ctx.state.scratch["socket"] = object()

    model = Failing()
    result = await durable(Agent(model, middleware=[Hoarder()]), step_policy=SOON).run("go")

    assert result.stopped_reason is StopReason.ERROR
    assert "left in the State cannot be written as JSON" in str(result.error)
    assert (model.asked, result.usage) == (1, text("at last").usage)


async def test_on_run_start_may_trip_a_guard_before_the_first_step(durable: Durable) -> None:
    class Prepaid:
        async def on_run_start(self, state: State) -> None:
            state.usage.cost_usd = 2.0

    def agent() -> Agent:
        agent = Agent(ScriptedProvider(text("x")), middleware=[Prepaid()])
        agent.guards.max_cost_usd = 1.0
        return agent

    ours = await durable(agent()).run("go")

    theirs = await agent().run("go")
    assert (ours.stopped_reason, ours.usage, told(ours)) == (theirs.stopped_reason, theirs.usage, told(theirs))
