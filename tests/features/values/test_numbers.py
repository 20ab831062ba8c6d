"""NaN, the infinities and models with defaults come through a run as they come through the kernel."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from spine_backends import SQLiteCheckpoint
from spine_core import (
    Agent,
    Guards,
    Interrupt,
    Message,
    ModelResponse,
    State,
    StepContext,
    StopReason,
    ToolContext,
    Usage,
    tool,
)
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.client import Client

from spine_temporal import ContinuePolicy, Decision, TemporalCheckpoint
from tests.features.sessions.talk import new_session
from tests.support.harness import NORMAL, ONLY_NORMAL, Durable, assert_same

pytestmark = pytest.mark.durable

NUMBERS = {"none": math.nan, "most": [math.inf, -math.inf]}


@tool
async def measure(value: float, more: dict[str, Any]) -> dict[str, Any]:
    """Give back what came."""
    return {"value": value, "more": more}


class Noting:
    """Middleware that leaves numbers in the State, and reads them again."""

    def __init__(self) -> None:
        self.read: list[str] = []

    async def before_model(self, ctx: StepContext) -> None:
        self.read.append(repr(ctx.state.scratch.get("numbers")))
        ctx.state.scratch.setdefault("numbers", dict(NUMBERS))

    async def before_tool(self, ctx: ToolContext) -> None:
        self.read.append(repr((ctx.args, ctx.state.usage)))


def measuring(noting: Noting, cost_usd: float) -> Agent:
    asked = calls(("measure", {"value": math.nan, "more": NUMBERS}), cost_usd=cost_usd)
    return Agent(ScriptedProvider(asked, text("done")), tools=[measure], middleware=[noting])


@pytest.mark.parametrize("cost_usd", [math.nan, math.inf, -math.inf, 0.5])
async def test_what_is_no_finite_number_goes_through_a_run_as_through_the_kernel(
    durable: Durable, cost_usd: float
) -> None:
    ours, theirs = Noting(), Noting()

    result = await durable(measuring(ours, cost_usd)).run("go")

    assert_same(result, await measuring(theirs, cost_usd).run("go"))
    assert ours.read == theirs.read
    assert repr(result.usage.cost_usd) == repr(cost_usd)


@pytest.mark.parametrize("mode", [NORMAL], ids=["normal"], indirect=True)
async def test_numbers_outlive_the_execution_in_which_they_came(durable: Durable) -> None:
    served, session = durable(measuring(Noting(), math.nan), continue_policy=ContinuePolicy(events=20)), new_session()

    await served.run("go", session_id=session)
    result = await served.get_run(session).result()

    assert repr(result.state.scratch) == repr({"numbers": NUMBERS})
    assert math.isnan(result.state.usage.cost_usd)


async def test_cost_that_is_no_number_stops_no_agent_below(durable: Durable) -> None:
    helper = Agent(ScriptedProvider(text("helped", cost_usd=0.25)), name="helper")
    asked = calls(("helper", {"input": "help"}), cost_usd=math.nan)
    guards = Guards(max_cost_usd=1.0)

    result = await durable(Agent(ScriptedProvider(asked, text("done")), tools=[helper.as_tool()], guards=guards)).run(
        "go"
    )

    assert result.answer == "done"
    assert result.state.messages[-2].content == "helped"


@tool
async def ask() -> str:
    """Ask a person."""
    raise Interrupt({"above": math.inf})


def asking() -> Agent:
    return Agent(ScriptedProvider(calls(("ask", {})), text("done")), tools=[ask])


class Offer(BaseModel):
    amount: int = 5
    currency: str = "EUR"


ANSWERS: list[Any] = [math.nan, {"limits": NUMBERS}, None, [None], ""]


@pytest.mark.parametrize("answer", ANSWERS, ids=repr)
async def test_answer_to_a_tool_is_what_the_kernel_makes_of_it(durable: Durable, answer: Any) -> None:
    kernel = asking()
    paused = await kernel.run("go")
    served = durable(asking())
    ours = await served.run("go")
    assert_same(ours, paused)

    result = await served.resume(str(ours.resume_token), answer)

    assert paused.resume_token is not None
    assert_same(result, await kernel.resume(paused.resume_token, answer))


@pytest.mark.parametrize("answer", ANSWERS, ids=repr)
async def test_value_of_a_decision_is_the_answer(durable: Durable, answer: Any) -> None:
    kernel = asking()
    paused = await kernel.run("go")
    served = durable(asking(), continue_policy=ContinuePolicy(events=10))
    ours = await served.run("go")

    result = await served.resume(str(ours.resume_token), Decision(value=answer))

    assert paused.resume_token is not None
    assert_same(result, await kernel.resume(paused.resume_token, answer))


@pytest.mark.parametrize("decision", [Offer(), Decision(value=Offer())], ids=["model", "value"])
async def test_model_as_an_answer_gives_all_its_fields(durable: Durable, decision: Any) -> None:
    served = durable(asking())
    paused = await served.run("go")

    result = await served.resume(str(paused.resume_token), decision)

    assert json.loads(str(result.state.messages[-2].content)) == Offer().model_dump()


@tool(approve=True)
async def offer(offer: Offer, factor: float) -> str:
    """Make an offer."""
    return f"{offer} times {factor}"


def offering(**given: Any) -> Agent:
    return Agent(ScriptedProvider(calls(("offer", given)), text("done")), tools=[offer])


@pytest.mark.parametrize("given", [Offer(), Offer(amount=7), {"amount": 5}], ids=repr)
async def test_model_among_the_arguments_keeps_the_fields_that_equal_their_defaults(
    durable: Durable, given: Any
) -> None:
    served = durable(offering(offer=given, factor=2.5))
    run = await served.start("go")
    assert (await run.result()).interrupted
    (pending,) = await run.pending()

    await run.decide(Decision(digest=pending.digest))

    result = await run.result()
    kernel = offering(offer=given, factor=2.5)
    paused = await kernel.run("go")
    assert_same(result, await kernel.resume(str(paused.resume_token)))


async def test_arguments_that_a_person_gives_as_a_model_keep_their_defaults(durable: Durable) -> None:
    run = await durable(offering(offer={"amount": 1}, factor=1.0)).start("go")
    await run.result()

    await run.decide(Decision(arguments={"offer": Offer(), "factor": 2.0}))

    assert (await run.result()).state.messages[2].content == "{'amount': 5, 'currency': 'EUR'} times 2.0"


class Keeping:
    """Middleware that keeps a model in the State."""

    async def after_model(self, ctx: StepContext) -> None:
        ctx.state.scratch["offer"] = Offer()


async def test_model_in_scratch_keeps_the_fields_that_equal_their_defaults(durable: Durable) -> None:
    result = await durable(Agent(ScriptedProvider(text("done")), middleware=[Keeping()])).run("go")

    assert result.state.scratch == {"offer": {"amount": 5, "currency": "EUR"}}


def numbered(session_id: str) -> State:
    call = calls(("measure", {"value": math.nan})).message
    usage = Usage(cost_usd=math.nan)
    return State(session_id=session_id, messages=[call], scratch={"numbers": NUMBERS}, usage=usage)


@ONLY_NORMAL
async def test_state_in_the_checkpoint_keeps_its_numbers_put_whole_or_as_a_difference(
    client: Client, durable: Durable
) -> None:
    store, session = TemporalCheckpoint(client, cache_bytes=0), new_session()
    state = numbered(session)

    await store.put(state)
    assert repr(await store.get(session)) == repr(state)

    state.scratch["more"] = [math.nan]
    state.messages.append(Message.user("go on"))
    await store.put(state)
    assert repr(await store.get(session)) == repr(state)
    await store.delete(session)


@ONLY_NORMAL
async def test_conversation_whose_mirror_cannot_be_read_goes_on_from_its_history(
    durable: Durable, tmp_path: Path
) -> None:
    answer = ModelResponse(message=Message.assistant("heard"), usage=Usage(cost_usd=math.nan))
    agent = Agent(ScriptedProvider(answer, repeat=True), checkpoint=SQLiteCheckpoint(tmp_path / "spine.db"))
    served, session = durable(agent, client_options={"session_ttl_s": 0}), new_session()

    for said in ("hello", "again"):
        result = await served.run(said, session_id=session)

    assert result.stopped_reason is StopReason.FINAL
    assert [message.content for message in result.state.messages] == ["hello", "heard", "again", "heard"]
