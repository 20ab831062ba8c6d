"""Whatever a user's code raises, or holds, it runs once, and the run ends with a Result that says what happened."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from spine_core import Agent, Message, ModelResponse, Result, StopReason, StopRun, tool
from spine_core.testing import ScriptedProvider, calls, text

from spine_temporal.contracts.policies import ActivityPolicy
from tests.support.agents_at_hand import Gate
from tests.support.harness import ONLY_NORMAL, Durable
from tests.support.waiting import until

pytestmark = [pytest.mark.durable, ONLY_NORMAL]

# A worker that is silent for so long is taken for dead; what blocks it does so for longer.
_HEARTBEAT_S: Final = 1.0
_HELD_S: Final = 2.5
# The SDK's core adds five seconds to a heartbeat timeout before it takes its own attempt for dead.
_GIVEN_UP_S: Final = _HEARTBEAT_S + 6.0


@dataclass
class Code:
    """What the user's code does, in one place of the agent."""

    act: Callable[[], Any]
    runs: int = 0
    over: list[int] = field(default_factory=list)

    def do(self) -> Any:
        self.runs += 1
        return self.act()


class Model(ScriptedProvider):
    """Does it once, before its first answer."""

    def __init__(self, code: Code, *answers: Any) -> None:
        super().__init__(*answers)
        self._code = code

    async def complete(self, messages: list[Message], tools: Any = None, **options: Any) -> ModelResponse:
        if len(messages) == 1:
            self._code.do()
        return await super().complete(messages, tools, **options)


class Hook:
    """Does it in one hook."""

    def __init__(self, name: str, code: Code) -> None:
        async def hook(*_: Any) -> None:
            if not code.runs:
                code.do()

        setattr(self, name, hook)


def agent_with(place: str, code: Code) -> Agent:
    @tool
    async def work() -> str:
        """Work."""
        if place == "tool":
            code.do()
        return "worked"

    @tool
    def sync_work() -> str:
        """Work in a thread."""
        code.do()
        return "worked"

    script = [calls(("sync_work" if place == "sync tool" else "work", {})), text("done")]
    provider = Model(code, *script) if place == "provider" else ScriptedProvider(*script)
    middleware = [Hook(place, code)] if place in HOOKS else []
    return Agent(provider, tools=[work, sync_work], middleware=middleware)


HOOKS: Final = ("on_run_start", "before_model", "after_model", "before_tool", "after_tool", "on_run_end")
PLACES: Final = ("tool", "sync tool", "provider", *HOOKS)
RAISED: Final[dict[str, Callable[[], BaseException]]] = {
    "cancelled": asyncio.CancelledError,
    "exit": lambda: SystemExit(3),
    "interrupted": KeyboardInterrupt,
    "generator": GeneratorExit,
    "group": lambda: BaseExceptionGroup("both", [SystemExit(3), ValueError("no")]),
    "group of cancellations": lambda: BaseExceptionGroup("both", [asyncio.CancelledError(), asyncio.CancelledError()]),
    "stopped iteration": StopIteration,
    "stopped async iteration": StopAsyncIteration,
    "own": lambda: type("Odd", (BaseException,), {})("odd"),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("raised", RAISED.values(), ids=RAISED)
async def test_what_is_raised_is_an_outcome_and_is_raised_once(
    durable: Durable, place: str, raised: Callable[[], BaseException]
) -> None:
    def act() -> None:
        raise raised()

    code = Code(act)

    result = await durable(agent_with(place, code)).run("go")

    assert code.runs == 1
    if place in ("tool", "sync tool"):
        assert (result.answer, result.stopped_reason) == ("done", StopReason.FINAL)
        assert_told(result)
    elif place == "on_run_end":
        assert result.answer == "done"
    else:
        assert result.stopped_reason is StopReason.ERROR
        assert result.error is not None


class Mute(Exception):
    """Has no text."""

    def __str__(self) -> str:
        raise TypeError("none")


@pytest.mark.parametrize("place", [place for place in HOOKS if place != "on_run_end"])
async def test_a_hook_ends_the_run_whatever_it_raises_is_made_of(durable: Durable, place: str) -> None:
    odd: Any = "odd"

    async def ending(raised: Exception) -> tuple[StopReason, str | None, str | None]:
        def act() -> None:
            raise raised

        result = await durable(agent_with(place, Code(act))).run("go")
        return result.stopped_reason, result.answer, result.error

    leak: Any = ValueError("a card number")
    known = ", ".join(StopReason)

    assert await ending(StopRun(StopReason.GUARDRAIL, leak)) == (StopReason.GUARDRAIL, "a card number", None)
    assert await ending(StopRun(odd, "no")) == (
        StopReason.ERROR,
        None,
        f"a hook raised StopRun with the reason 'odd'; there are: {known}",
    )
    assert await ending(Mute()) == (StopReason.ERROR, None, f"{place} raised Mute: (str() of it raises TypeError)")


def assert_told(result: Result) -> None:
    """The model was told that the tool went wrong."""
    (told,) = [str(message.content) for message in result.state.messages if message.role == "tool"]
    assert told.startswith("Error executing tool")


@pytest.mark.parametrize("place", PLACES)
async def test_what_holds_the_event_loop_for_longer_than_a_heartbeat_runs_once(durable: Durable, place: str) -> None:
    code = Code(lambda: time.sleep(_HELD_S))
    policy = ActivityPolicy(heartbeat_s=_HEARTBEAT_S)

    result = await durable(agent_with(place, code), step_policy=policy, tool_policy=policy).run("go")

    assert (result.answer, code.runs) == ("done", 1)


async def test_a_loop_held_until_the_sdk_gives_up_has_nothing_in_flight_run_again(durable: Durable) -> None:
    gate, turns = Gate(), [0, 0]

    @tool
    async def wait() -> str:
        """Do no harm."""
        turns[0] += 1
        await gate.pass_through()
        return "waited"

    def hold() -> None:
        turns[1] += 1
        time.sleep(_GIVEN_UP_S)

    class Holding(ScriptedProvider):
        async def complete(self, *args: Any, **options: Any) -> ModelResponse:
            await gate.begun.wait()
            hold()
            gate.open.set()
            return await super().complete(*args, **options)

    policy = ActivityPolicy(heartbeat_s=_HEARTBEAT_S)
    beside = Agent(ScriptedProvider(calls(("wait", {})), text("done")), tools=[wait])
    waiting = await durable(beside, tool_policy=policy).start("go")
    holding = await durable(Agent(Holding(text("held"))), step_policy=policy).start("go")

    assert ((await holding.result()).answer, (await waiting.result()).answer) == ("held", "done")
    assert turns == [1, 1]


async def test_a_thread_that_outlives_its_tool_leaves_the_run_alone(durable: Durable) -> None:
    release, over = threading.Event(), threading.Event()

    def outlive() -> None:
        def wait() -> None:
            release.wait(60)
            over.set()

        threading.Thread(target=wait, daemon=True).start()

    code = Code(outlive)

    result = await durable(agent_with("sync tool", code)).run("go")
    release.set()

    assert (result.answer, code.runs) == ("done", 1)
    await until(over.is_set, "the end of the thread")


async def test_a_sync_tool_that_is_cancelled_while_its_thread_works_runs_once(durable: Durable) -> None:
    begun, release = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        release.wait(60)

    code = Code(hold)
    run = await durable(agent_with("sync tool", code)).start("go")
    await until(begun.is_set, "the tool")
    await run.cancel()

    assert (await run.result()).stopped_reason is StopReason.CANCELLED
    release.set()
    assert code.runs == 1
