"""What is too large for the namespace is refused before it is sent, and nothing is run or paid again for it."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from spine_core import Agent, Interrupt, Message, ModelResponse, StopReason, ToolContext, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.client import Client

from spine_temporal import AgentWorker, ContinuePolicy, Decision, DurableAgent
from spine_temporal.errors import AgentBroken, InputTooLarge
from tests.features.limits.narrow import LIMIT
from tests.support.harness import history_of, replay
from tests.support.waiting import until

pytestmark = pytest.mark.durable

TOO_MUCH = "x" * LIMIT
MUCH = "x" * 200_000
OFTEN = ContinuePolicy(events=1)


async def ran(client: Client, agent: Agent, *others: Agent, **options: Any) -> tuple[Any, DurableAgent]:
    queue = uuid.uuid4().hex
    async with AgentWorker(client, agents=[agent, *others], task_queue=queue, **options):
        durable = DurableAgent(agent.name or "", client, task_queue=queue)
        run = await durable.start("go")
        result = await run.result()
    await replay(await history_of(client, run))
    return result, durable


class Counted:
    """A model that is asked once for each answer it has."""

    def __init__(self, *answers: ModelResponse) -> None:
        self.asked = 0
        self._answers = answers

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        self.asked += 1
        return self._answers[self.asked - 1]


async def test_a_tools_result_is_named_to_the_model_and_the_tool_runs_once(narrow: Client) -> None:
    made: list[int] = []

    @tool
    async def fetch() -> str:
        """Fetch much."""
        made.append(1)
        return TOO_MUCH

    model = Counted(calls(("fetch", {})), text("I see"))
    result, _ = await ran(narrow, Agent(model, tools=[fetch], name="a"))

    assert (result.answer, len(made), model.asked) == ("I see", 1, 2)
    assert "a Temporal payload holds 286,102 here" in result.state.messages[-2].content


async def test_a_models_answer_ends_the_run_and_is_paid_once(narrow: Client) -> None:
    model = Counted(text(TOO_MUCH))
    result, _ = await ran(narrow, Agent(model, name="a"))

    assert (result.stopped_reason, model.asked) == (StopReason.ERROR, 1)
    assert "a Temporal payload holds 286,102 here" in str(result.error)
    assert result.usage.total_tokens == text("").usage.total_tokens


async def test_a_system_prompt_is_refused_when_the_run_opens(narrow: Client) -> None:
    with pytest.raises(AgentBroken, match="prompt has 300,000 characters; a Temporal payload holds 286,102"):
        await ran(narrow, Agent(ScriptedProvider(), system=TOO_MUCH, name="a"))


async def test_a_system_prompt_that_fits_goes_from_execution_to_execution(narrow: Client) -> None:
    result, _ = await ran(
        narrow, Agent(ScriptedProvider(calls(("no", {})), text("done")), system=MUCH, name="a"), continue_policy=OFTEN
    )

    assert (result.answer, result.state.messages[0].content) == ("done", MUCH)


@pytest.mark.parametrize(
    "say",
    [
        lambda agent, _: agent.start(TOO_MUCH),
        lambda agent, session: agent.start(TOO_MUCH, session_id=session),
        lambda agent, session: agent.get_run(session).fork(step=0, input=TOO_MUCH),
        lambda agent, session: agent.get_run(session).decide(Decision(value=TOO_MUCH)),
        # Twelve bytes of JSON each.
        lambda agent, _: agent.start("\x01" * (LIMIT // 4)),
    ],
    ids=["a run", "a turn", "a fork", "a decision", "escaped"],
)
async def test_what_a_caller_says_is_refused_before_it_is_sent(
    narrow: Client, say: Callable[[DurableAgent, str], Awaitable[object]]
) -> None:
    @tool
    async def ask() -> str:
        """Ask."""
        raise Interrupt("well?")

    session, queue = uuid.uuid4().hex, uuid.uuid4().hex
    agent = Agent(ScriptedProvider(calls(("ask", {})), text("done")), tools=[ask], name="a")
    async with AgentWorker(narrow, agents=[agent], task_queue=queue):
        durable = DurableAgent("a", narrow, task_queue=queue)
        await durable.run("go", session_id=session)
        with pytest.raises(InputTooLarge, match="a Temporal payload holds 286,102 here"):
            await say(durable, session)
        assert (await durable.resume(session, "yes")).answer == "done"


async def test_questions_that_fill_more_than_a_payload_are_asked_and_answered(narrow: Client) -> None:
    @tool
    async def ask(n: int) -> str:
        """Ask."""
        raise Interrupt({"n": n, "why": "y" * 150_000})

    asking = calls(*[("ask", {"n": n}) for n in range(4)])
    agent = Agent(ScriptedProvider(asking, text("done")), tools=[ask], parallel_tools=True, name="a")
    queue = uuid.uuid4().hex
    async with AgentWorker(narrow, agents=[agent], task_queue=queue, continue_policy=OFTEN):
        durable = DurableAgent("a", narrow, task_queue=queue)
        run = await durable.start("go")
        assert (await run.result()).stopped_reason is StopReason.INTERRUPT
        for asked in await run.pending():
            assert asked.payload["why"] == "y" * 150_000
            await run.decide(f"answer {asked.payload['n']}", call_id=asked.position)
        result = await run.next_result(after=1)

    told = [message.content for message in result.state.messages if message.role == "tool"]
    assert (result.answer, told) == ("done", [f"answer {n}" for n in range(4)])


@pytest.mark.parametrize(("size", "number"), [(LIMIT, 1), (100_000, 4), (2_000, 300)])
async def test_schemas_of_gated_tools_are_written_once_or_not_at_all(narrow: Client, size: int, number: int) -> None:
    paid: list[int] = []

    @tool(approve=True)
    async def pay(amount: int) -> str:
        """Pay."""
        paid.append(amount)
        return "paid"

    pay.parameters["description"] = "d" * size
    paying = calls(*[("pay", {"amount": n}) for n in range(number)])
    agent = Agent(ScriptedProvider(paying, text("done")), tools=[pay], name="a")
    queue = uuid.uuid4().hex
    async with AgentWorker(narrow, agents=[agent], task_queue=queue):
        durable = DurableAgent("a", narrow, task_queue=queue)
        run = await durable.start("go")
        await run.result()
        last = (await run.pending())[-1]
        await run.decide(Decision(approve=True, arguments={"amount": -1}), call_id=last.position)

        async def decided() -> bool:
            return len(await run.pending()) < number

        await until(decided, "a decision that is taken")
        await run.cancel()
        await run.result()

    assert set(paid) <= {-1}


async def test_what_hooks_give_to_agents_side_by_side_may_be_more_than_a_request(narrow: Client) -> None:
    class Generous:
        async def before_tool(self, context: ToolContext) -> None:
            context.args["input"] = MUCH

    below = Agent(ScriptedProvider(*[text("ok")] * 4), name="below")
    above = Agent(
        ScriptedProvider(calls(*[("below", {"input": str(n)}) for n in range(4)]), text("done")),
        tools=[below.as_tool(name="below", description="Below.")],
        middleware=[Generous()],
        parallel_tools=True,
        name="above",
    )

    result, _ = await ran(narrow, above, below, continue_policy=OFTEN)

    assert result.answer == "done"


async def test_turns_that_wait_are_refused_before_they_are_more_than_an_execution_can_hand_on(narrow: Client) -> None:
    held = asyncio.Event()

    class Holding:
        async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
            await held.wait()
            return text("heard")

    queue, session = uuid.uuid4().hex, uuid.uuid4().hex
    async with AgentWorker(narrow, agents=[Agent(Holding(), name="a")], task_queue=queue, continue_policy=OFTEN):
        durable = DurableAgent("a", narrow, task_queue=queue)
        first = await durable.start("one", session_id=session)
        second = await durable.start("\x01" * 20_000, session_id=session)
        with pytest.raises(Exception, match="turns wait already with 120,002 bytes of JSON of the 143,051"):
            await durable.start("\x01" * 10_000, session_id=session)
        held.set()
        assert (await first.result()).answer == (await second.result()).answer == "heard"
