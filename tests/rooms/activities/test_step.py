"""One step: hooks and the provider work on a copy, the outcome says what they did, whatever they raise."""

from collections.abc import Callable
from typing import Any

import pytest
from spine_core import Agent, Guards, Message, ModelResponse, State, StopReason
from spine_core.testing import ScriptedProvider, calls, text

from spine_temporal.activities.step import Step
from spine_temporal.contracts.base import dump
from spine_temporal.contracts.run_end import AnswerFrom, Ending
from spine_temporal.contracts.step import PlannedCall, StepInput
from spine_temporal.journal import state_delta
from spine_temporal.journal.counters import stopped_by_guard


def a_state(*messages: Message) -> State:
    return State(session_id="s1", messages=[*messages] or [Message.user("go")], scratch={"found": [1]})


async def taken(
    agent: Agent,
    before: State,
    *,
    first: bool = False,
    elapsed_s: Callable[[], float] = lambda: 0.0,
    guards: Guards | None = None,
) -> Step:
    """A step of `agent`, which has left the State it began with as it was; `guards` None: the agent's own."""
    was = before.model_dump_json()
    task = StepInput(step=1, elapsed_s=0.0, first=first)
    step = Step(agent, before, task, elapsed_s=elapsed_s, guards=guards or agent.guards)
    await step.take()
    assert before.model_dump_json() == was
    return step


class Raising:
    """A middleware of which one hook raises."""

    def __init__(self, hook: str) -> None:
        self._hook = hook

    def __getattr__(self, name: str) -> Any:
        if name != self._hook:
            raise AttributeError(name)

        async def hook(*_: object) -> None:
            raise KeyError("otters")

        return hook


class Broken:
    """A provider that is down."""

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        raise ConnectionError("no provider")


async def test_answer_is_written_once() -> None:
    step = await taken(Agent(ScriptedProvider(text("done"))), a_state())

    outcome = step.outcome("a")

    assert dump(outcome).count(b"done") == 1
    assert outcome.ending == Ending(reason=StopReason.FINAL, answer_from=AnswerFrom.LAST_MESSAGE, event="final")
    assert state_delta.apply(step.before, outcome.delta, banked=outcome.usage, stepped=True) == step.state


async def test_outcome_costs_the_same_however_long_the_conversation_is() -> None:
    agent = Agent(ScriptedProvider(text("done")))
    sizes = [
        len(dump((await taken(agent, a_state(*[Message.user("x" * 100)] * length))).outcome("a")))
        for length in (10, 99)
    ]

    assert sizes[0] == sizes[1]


async def test_plan_says_which_calls_the_agent_has_a_tool_for() -> None:
    step = await taken(Agent(ScriptedProvider(calls(("nowhere", {})))), a_state())

    assert step.outcome("a").calls == [PlannedCall(id="call_0", name="nowhere", known=False)]
    assert step.outcome("a").ending is None


@pytest.mark.parametrize("hook", ["on_run_start", "before_model", "after_model"])
async def test_hook_that_raises_ends_the_run_with_its_name(hook: str) -> None:
    step = await taken(Agent(ScriptedProvider(text("done")), middleware=[Raising(hook)]), a_state(), first=True)

    assert step.outcome("a").ending == Ending(reason=StopReason.ERROR, error=f"{hook} raised KeyError: 'otters'")
    assert isinstance(step.cause, KeyError)


async def test_hook_that_raises_over_a_failed_provider_is_the_one_that_is_reported() -> None:
    step = await taken(Agent(Broken(), middleware=[Raising("on_error")]), a_state())

    assert step.outcome("a").ending == Ending(reason=StopReason.ERROR, error="on_error raised KeyError: 'otters'")


@pytest.mark.parametrize("garbage", [None, "hello", {"message": "hello"}, Message.assistant("hello")], ids=repr)
async def test_provider_whose_answer_is_none_is_named_and_no_hook_is_blamed_or_asked(garbage: Any) -> None:
    class Odd:
        async def complete(self, *_: object, **__: object) -> Any:
            return garbage

    step = await taken(Agent(Odd(), middleware=[Raising("on_error"), Raising("after_model")]), a_state())

    error = str((step.outcome("x").ending or Ending(reason=StopReason.FINAL)).error)
    assert error.startswith(f"the provider answered with {type(garbage).__name__}, not with a spine_core.ModelResponse")


async def test_failed_provider_is_the_cause_which_may_pass() -> None:
    step = await taken(Agent(Broken()), a_state())

    outcome = step.outcome("a")
    assert isinstance(step.cause, ConnectionError)
    assert outcome.ending == Ending(reason=StopReason.ERROR, error="no provider")
    assert [(error.error, error.action) for error in outcome.errors] == [("no provider", "fail")]
    assert (outcome.stepped, outcome.delta.fields) == (True, {})


async def test_normal_end_has_no_cause() -> None:
    assert (await taken(Agent(ScriptedProvider(text("done"))), a_state())).cause is None


async def test_time_that_ran_out_while_the_step_waited_asks_no_provider() -> None:
    agent = Agent(Broken(), guards=Guards(timeout_s=5.0))

    step = await taken(agent, a_state(), elapsed_s=lambda: 5.0)

    assert step.outcome("a").ending == stopped_by_guard(StopReason.TIMEOUT)
    assert step.cause is None


async def test_guard_that_trips_after_the_start_hooks_takes_no_step() -> None:
    step = await taken(Agent(Broken(), guards=Guards(max_steps=0)), a_state(), first=True)

    outcome = step.outcome("a")
    assert (outcome.stepped, outcome.called, outcome.ending) == (False, False, stopped_by_guard(StopReason.MAX_STEPS))
    assert step.state == step.before


@pytest.mark.parametrize("first", [True, False])
async def test_step_obeys_the_recorded_guards_and_not_those_of_the_agent(first: bool) -> None:
    strict = Agent(ScriptedProvider(text("done")), guards=Guards(max_steps=0, timeout_s=1.0))
    lenient = Agent(Broken(), guards=Guards())

    goes_on = await taken(strict, a_state(), first=first, elapsed_s=lambda: 5.0, guards=Guards())
    stops = await taken(lenient, a_state(), first=first, elapsed_s=lambda: 5.0, guards=Guards(timeout_s=5.0))

    assert goes_on.outcome("a").ending == Ending(
        reason=StopReason.FINAL, answer_from=AnswerFrom.LAST_MESSAGE, event="final"
    )
    assert stops.outcome("a").ending == stopped_by_guard(StopReason.TIMEOUT)


class Marking:
    """A provider that writes into the messages it is given, as some do to have a prompt cached."""

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        for part in messages[-1].parts or []:
            part["cache"] = True
        return text("done")


async def test_provider_that_writes_into_its_input_does_not_write_into_the_kept_state() -> None:
    before = a_state(Message.user_parts([{"type": "text", "text": "go"}]))

    step = await taken(Agent(Marking()), before)

    outcome = step.outcome("a")
    assert state_delta.apply(before, outcome.delta, banked=outcome.usage, stepped=True) == step.state
