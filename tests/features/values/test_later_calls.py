"""A hook that changes a later call of the model's message changes what runs, as on the kernel."""

from collections.abc import Callable

import pytest
from spine_core import Agent, Interrupt, ToolCall, ToolContext, tool
from spine_core.testing import ScriptedProvider, calls, text

from spine_temporal import ContinuePolicy
from tests.support.agents_at_hand import Gate
from tests.support.harness import Durable, assert_same

pytestmark = pytest.mark.durable

type Change = Callable[[list[ToolCall]], object]

RAN: list[str] = []


@tool
async def note(words: str) -> str:
    """Note something."""
    RAN.append(words)
    return f"noted {words}"


@tool
async def shout(words: str) -> str:
    """Shout something."""
    RAN.append(words.upper())
    return words.upper()


@tool(approve=True)
async def pay(whom: str) -> str:
    """Pay somebody."""
    RAN.append(f"paid {whom}")
    return f"paid {whom}"


@tool
async def ask(what: str) -> str:
    """Ask a person."""
    raise Interrupt(what)


class Meddling:
    """Middleware that changes the calls of the message, before or after the first of them runs."""

    def __init__(self, change: Change, when: str, at: str = "one") -> None:
        self._change, self._at = change, at
        setattr(self, when, self._meddle)

    async def _meddle(self, ctx: ToolContext) -> None:
        if ctx.call.arguments.get("words") == self._at:
            asking = next(message for message in reversed(ctx.state.messages) if message.tool_calls)
            self._change(asking.tool_calls)


def other_arguments(asked: list[ToolCall]) -> None:
    asked[1].arguments["words"] = "other"


def another_tool(asked: list[ToolCall]) -> None:
    asked[1].name = "shout"


def unknown_tool(asked: list[ToolCall]) -> None:
    asked[2].name = "nowhere"


def other_ids(asked: list[ToolCall]) -> None:
    for at, call in enumerate(asked):
        call.id = f"new_{at}"


def another_name_for_itself(asked: list[ToolCall]) -> None:
    asked[0].name = "shout"


def one_removed(asked: list[ToolCall]) -> None:
    del asked[1]


def all_behind_removed(asked: list[ToolCall]) -> None:
    del asked[1:]


def all_removed(asked: list[ToolCall]) -> None:
    asked.clear()


def itself_removed(asked: list[ToolCall]) -> None:
    del asked[0]


def one_put_in(asked: list[ToolCall]) -> None:
    asked.insert(1, ToolCall(id="new", name="note", arguments={"words": "put in"}))


def one_put_behind(asked: list[ToolCall]) -> None:
    asked.append(ToolCall(id="new", name="shout", arguments={"words": "put behind"}))


def turned_round(asked: list[ToolCall]) -> None:
    asked[1:] = asked[:0:-1]


CHANGES = [
    other_arguments,
    another_tool,
    unknown_tool,
    other_ids,
    another_name_for_itself,
    one_removed,
    all_behind_removed,
    all_removed,
    itself_removed,
    one_put_in,
    one_put_behind,
    turned_round,
]


def script() -> ScriptedProvider:
    asked = calls(*(("note", {"words": words}) for words in ("one", "two", "three")))
    return ScriptedProvider(asked, text("done"))


@pytest.mark.parametrize("when", ["before_tool", "after_tool"])
@pytest.mark.parametrize("change", CHANGES)
async def test_later_calls_run_as_a_hook_changed_them(durable: Durable, change: Change, when: str) -> None:
    def agent() -> Agent:
        return Agent(script(), tools=[note, shout, pay], middleware=[Meddling(change, when)])

    RAN.clear()
    result = await durable(agent()).run("go")
    ran = RAN.copy()
    RAN.clear()

    assert_same(result, await agent().run("go"))
    assert ran == RAN


class Replacing:
    """Middleware that gives the message another list: the kernel goes on with the one it had."""

    async def before_tool(self, ctx: ToolContext) -> None:
        asking = next(message for message in reversed(ctx.state.messages) if message.tool_calls)
        asking.tool_calls = [ToolCall(id=f"new_{ctx.args['words']}", name="shout", arguments={"words": "new"})]


async def test_list_that_a_hook_puts_in_place_of_the_calls_is_not_what_runs(durable: Durable) -> None:
    def agent() -> Agent:
        return Agent(script(), tools=[note, shout], middleware=[Replacing()])

    RAN.clear()
    assert_same(await durable(agent()).run("go"), await agent().run("go"))
    assert RAN == ["one", "two", "three"] * 2


def gated_instead(asked: list[ToolCall]) -> None:
    asked[1].name, asked[1].arguments = "pay", {"whom": "anna"}


def asks_instead(asked: list[ToolCall]) -> None:
    asked[1].name, asked[1].arguments = "ask", {"what": "who?"}


@pytest.mark.parametrize("change", [gated_instead, asks_instead])
async def test_later_call_that_a_hook_made_one_for_a_person_waits_for_one(durable: Durable, change: Change) -> None:
    def agent() -> Agent:
        return Agent(script(), tools=[note, pay, ask], middleware=[Meddling(change, "after_tool")])

    served, kernel = durable(agent()), agent()
    paused, expected = await served.run("go"), await kernel.run("go")
    assert_same(paused, expected)

    result = await served.resume(str(paused.resume_token))

    assert_same(result, await kernel.resume(str(expected.resume_token)))


def other_payee(asked: list[ToolCall]) -> None:
    asked[1].arguments["whom"] = "emma"


async def test_decision_taken_early_does_not_hold_for_other_arguments_that_a_hook_gave(durable: Durable) -> None:
    RAN.clear()
    gate = Gate()

    @tool
    async def wait(words: str) -> str:
        """Wait for the gate."""
        await gate.pass_through()
        return words

    asked = calls(("wait", {"words": "one"}), ("pay", {"whom": "anna"}), ("pay", {"whom": "otto"}))
    middleware = [Meddling(other_payee, "after_tool")]
    agent = Agent(ScriptedProvider(asked, text("done")), tools=[wait, pay], middleware=middleware)
    run = await durable(agent).start("go")
    await gate.begun.wait()
    for approval in await run.pending():
        await run.decide(True, call_id=approval.call_id)

    gate.open.set()
    assert (await run.result()).interrupted
    assert RAN == []
    (approval,) = [each for each in await run.pending() if each.call_id == "call_1"]
    assert approval.arguments == {"whom": "emma"}
    await run.decide(True, call_id="call_1")

    assert (await run.result()).answer == "done"
    assert RAN == ["paid emma", "paid otto"]


async def test_changes_behind_a_pause_change_the_message_only(durable: Durable) -> None:
    def agent() -> Agent:
        asked = calls(("pay", {"whom": "anna"}), ("note", {"words": "one"}), ("note", {"words": "two"}))
        middleware = [Meddling(lambda made: made.pop(), "after_tool")]
        return Agent(ScriptedProvider(asked, text("done")), tools=[note, pay], middleware=middleware)

    served, kernel = durable(agent()), agent()
    paused, expected = await served.run("go"), await kernel.run("go")
    RAN.clear()

    result = await served.resume(str(paused.resume_token))

    assert_same(result, await kernel.resume(str(expected.resume_token)))
    assert RAN == ["paid anna", "one", "two"] * 2


class Unlimited:
    """Middleware that puts a call behind each, up to a number."""

    async def after_tool(self, ctx: ToolContext) -> None:
        asking = next(message for message in reversed(ctx.state.messages) if message.tool_calls)
        at = len(asking.tool_calls)
        if at < 12:
            asking.tool_calls.append(ToolCall(id=f"new_{at}", name="note", arguments={"words": str(at)}))


async def test_calls_put_behind_one_another_all_run(durable: Durable) -> None:
    def agent() -> Agent:
        return Agent(script(), tools=[note], middleware=[Unlimited()])

    served = durable(agent(), continue_policy=ContinuePolicy(events=30))

    result = await served.run("go")

    assert_same(result, await agent().run("go"))
    assert len([message for message in result.state.messages if message.role == "tool"]) == 12
