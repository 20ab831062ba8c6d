"""Text that UTF-8 cannot hold, half of a surrogate pair, loses nothing: it is made readable, nothing runs again."""

from typing import Any

import pytest
from spine_core import Agent, Message, ModelResponse, StepContext, StopReason, ToolCall, ToolContext, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.client import Client

from spine_temporal import ActivityPolicy, AgentWorker, Decision, DurableAgent
from spine_temporal.errors import AgentBroken, BadInput
from tests.features.sessions.talk import new_session
from tests.support.harness import Durable

pytestmark = pytest.mark.durable

HALF = "half a fox \ud83e"
READABLE = "half a fox \N{REPLACEMENT CHARACTER}"


class Model:
    """Answers what it was given, and counts."""

    def __init__(self, *answers: Message) -> None:
        self._answers = answers
        self.asked = 0

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        self.asked += 1
        return ModelResponse(message=self._answers[self.asked - 1])


async def test_tool_whose_result_has_half_a_character_runs_once_and_is_heard(durable: Durable) -> None:
    ran = list[str]()

    @tool
    async def fetch(what: str) -> str:
        """Fetch something."""
        ran.append(what)
        return what[:-1] if what != HALF else HALF

    model = Model(
        Message.assistant(HALF, [ToolCall(id="call_0", name="fetch", arguments={"what": HALF})]),
        Message.assistant(HALF),
    )

    result = await durable(Agent(model, tools=[fetch])).run(HALF)

    contents = [message.content for message in result.state.messages]
    assert contents == [READABLE, READABLE, READABLE[:-1], READABLE]
    assert result.answer == READABLE
    assert ran == [READABLE]
    assert model.asked == 2


async def test_prompt_and_tenant_with_half_a_character_open_the_run(durable: Durable) -> None:
    state = (await durable(Agent(ScriptedProvider(text("done")), system=HALF, tenant_id=HALF)).run("go")).state

    assert (state.messages[0].content, state.tenant_id) == (READABLE, READABLE)


@pytest.mark.parametrize("result", [HALF, ["\ud83e\udd8a", HALF], {"\ud83e": HALF}], ids=["text", "list", "dict"])
async def test_any_result_with_half_a_character_is_heard(durable: Durable, result: Any) -> None:
    ran = list[str]()

    @tool
    async def fetch() -> Any:
        """Fetch something."""
        ran.append("once")
        return result

    ended = await durable(Agent(ScriptedProvider(calls(("fetch", {})), text("done")), tools=[fetch])).run("go")

    assert ended.answer == "done"
    assert "half a fox" in str(ended.state.messages[-2].content)
    assert len(ran) == 1


class Noting:
    """Middleware that keeps half a character in the State, as key and as value, and changes it."""

    async def before_model(self, ctx: StepContext) -> None:
        ctx.state.scratch["\ud83e key"] = [HALF]

    async def after_model(self, ctx: StepContext) -> None:
        ctx.state.scratch["noted"] = {"text": HALF, "n": ctx.state.step}

    async def before_tool(self, ctx: ToolContext) -> None:
        ctx.args["what"] = HALF

    async def after_tool(self, ctx: ToolContext) -> None:
        ctx.state.scratch["noted"]["text"] = [HALF]
        ctx.result = HALF


async def test_half_a_character_that_a_hook_leaves_is_kept_readable(durable: Durable) -> None:
    @tool
    async def fetch(what: str) -> str:
        """Fetch something."""
        return what

    provider = ScriptedProvider(calls(("fetch", {"what": "a fox"})), text("done"))
    served = durable(Agent(provider, tools=[fetch], middleware=[Noting()]))

    result = await served.run("go")

    assert result.answer == "done"
    assert result.state.messages[-2].content == READABLE
    assert result.state.scratch == {
        "\N{REPLACEMENT CHARACTER} key": [READABLE],
        "noted": {"text": READABLE, "n": 2},
    }


@tool(approve=True)
async def pay(whom: str) -> str:
    """Pay somebody."""
    return f"paid {whom}"


async def test_decisions_with_half_a_character_are_taken(durable: Durable) -> None:
    asked = [calls(("pay", {"whom": HALF})) for _ in range(2)]
    served = durable(Agent(ScriptedProvider(*asked, text("done")), tools=[pay]))
    run = await served.start("go")
    await run.result()
    (pending,) = await run.pending()

    await run.decide(Decision(digest=pending.digest, decided_by=HALF))
    await run.result()
    await run.decide(Decision(approve=False, reason=HALF))

    result = await run.result()
    assert result.answer == "done"
    assert [message.content for message in result.state.messages if message.role == "tool"] == [
        f"paid {READABLE}",
        f"Tool 'pay' was rejected by human: {READABLE!r}",
    ]


class Refusing:
    """A provider whose errors have half a character."""

    def __init__(self, error: type[Exception]) -> None:
        self._error = error

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        raise self._error(HALF)


@pytest.mark.parametrize("error", [ValueError, ConnectionError])
async def test_error_with_half_a_character_ends_the_run_with_its_text(durable: Durable, error: type[Exception]) -> None:
    policy = ActivityPolicy(attempts=2, retry_first_s=0.1)

    result = await durable(Agent(Refusing(error)), step_policy=policy).run("go")

    assert result.stopped_reason is StopReason.ERROR
    assert READABLE in str(result.error)


async def test_further_turn_with_half_a_character_is_taken(durable: Durable) -> None:
    model, session = Model(Message.assistant("yes"), Message.assistant("no")), new_session()
    served = durable(Agent(model))
    await served.run("go", session_id=session)

    result = await served.run(HALF, session_id=session)

    assert [message.content for message in result.state.messages] == ["go", "yes", READABLE, "no"]


async def test_session_id_with_half_a_character_is_refused(durable: Durable) -> None:
    with pytest.raises(BadInput, match="half of a surrogate pair"):
        await durable(Agent(ScriptedProvider(text("done")))).start("go", session_id=HALF)


async def test_session_id_with_a_nul_is_refused(durable: Durable) -> None:
    with pytest.raises(BadInput, match="NUL character"):
        await durable(Agent(ScriptedProvider(text("done")))).start("go", session_id="a\0b")


async def test_factory_whose_error_has_half_a_character_is_refused_with_its_text(client: Client) -> None:
    def broken() -> Agent:
        raise BadInput(HALF)

    async with AgentWorker(client, agents={"fox": broken}, task_queue="half-a-fox"):
        with pytest.raises(AgentBroken, match=READABLE):
            await DurableAgent("fox", client, task_queue="half-a-fox").run("go")
