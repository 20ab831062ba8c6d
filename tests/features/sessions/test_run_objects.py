"""What a Run tells of its turn, whatever became of the session since."""

import asyncio
from typing import Any

import pytest
from spine_core import Agent, Message, StopReason, ToolContext, tool
from spine_core.testing import ScriptedProvider, calls, text
from spine_middleware import Replayer
from temporalio.client import Client

from spine_temporal import recording
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.errors import BadInput, RunNotFound
from tests.features.sessions.talk import chain_of, delete_history, looked_at, new_session, parrot, texts, until_closed
from tests.support.agents_at_hand import Gate, add
from tests.support.harness import ONLY_NORMAL, Durable, assert_same, told
from tests.support.waiting import until

pytestmark = pytest.mark.durable

WAYS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "open": ({}, {}),
    "closed_between": ({}, {"client_options": {"session_ttl_s": 0.0}}),
    "continued_at_every_boundary": ({"continue_policy": ContinuePolicy(events=1)}, {}),
    "continued_by_size": ({"continue_policy": ContinuePolicy(size_bytes=1)}, {}),
}


@pytest.mark.parametrize("way", WAYS)
async def test_each_run_tells_of_its_own_turn_after_later_ones(client: Client, durable: Durable, way: str) -> None:
    options, more = WAYS[way]
    served, session, kernel = durable(parrot(), **options, **more), new_session(), parrot()
    results, said = [], ["hello", "add 1 2", "bye"]
    for words in said:
        results.append(await served.run(words, session_id=session))
        assert_same(results[-1], await kernel.run(words, session_id="s"))
        if way == "closed_between":
            await until_closed(client, served.runs[0].workflow_id)

    for run, result in zip([*served.runs, served.get_run(session)], [*results, results[-1]], strict=True):
        assert await run.result() == result
        assert [event.model_dump(exclude={"seq", "id"}) async for event in run.events()] == [
            event.model_dump(exclude={"seq"}) for event in result.trace
        ]
        assert await run.state() == results[-1].state


async def test_a_session_found_by_its_id_stands_for_the_turn_in_hand(durable: Durable) -> None:
    gate, session = Gate(), new_session()
    served = durable(parrot(gates={"wait": gate}))
    await served.run("hello", session_id=session)
    await served.start("wait here", session_id=session)
    await gate.begun.wait()
    found = served.get_run(session)
    waiting = asyncio.create_task(found.result())
    assert texts(await found.state()) == ["hello", "heard hello", "wait here"]
    gate.open.set()

    assert (await waiting).answer == "heard wait here"


@pytest.mark.parametrize("way", WAYS)
async def test_who_waits_for_the_turn_in_hand_gets_its_result_when_the_next_one_begins_at_once(
    client: Client, durable: Durable, way: str
) -> None:
    options, more = WAYS[way]
    gates, session = {word: Gate() for word in ("one", "two")}, new_session()
    served = durable(parrot(gates=gates), **options, **more)
    await served.run("hello", session_id=session)
    one = await served.start("one", session_id=session)
    await gates["one"].begun.wait()
    two = await served.start("two", session_id=session)
    waiting = asyncio.create_task(served.get_run(session).result())
    await until(lambda: looked_at(client, one), "the first look")

    gates["one"].open.set()
    await gates["two"].begun.wait()

    assert (await asyncio.wait_for(waiting, 60)).answer == "heard one"
    gates["two"].open.set()
    assert (await two.result()).answer == "heard two"


async def test_the_first_turn_of_a_fork_has_its_result_while_later_ones_are_in_hand(durable: Durable) -> None:
    gate, session = Gate(), new_session()
    served = durable(parrot(gates={"wait": gate}))
    await served.run("hello", session_id=new_session())
    fork = await served.runs[0].fork(step=1, input="and now?", session_id=session)
    last = await served.start("wait here", session_id=session)
    await gate.begun.wait()

    assert (await asyncio.wait_for(fork.result(), 60)).answer == "heard and now?"
    gate.open.set()
    assert (await last.result()).answer == "heard wait here"


async def test_whoever_follows_a_run_sees_each_event_once_while_it_continues(client: Client, durable: Durable) -> None:
    gate = Gate()
    served = durable(parrot(gates={"add": gate}), continue_policy=ContinuePolicy(events=1))
    run = await served.start("add 1 2 3 4 5 6")
    await gate.begun.wait()

    async def follow() -> list[dict[str, Any]]:
        return [event.model_dump(exclude={"id"}) async for event in run.events()]

    followers = [asyncio.create_task(follow()) for _ in range(3)]
    gate.open.set()
    result = await run.result()

    for follower in followers:
        assert await follower == [event.model_dump() for event in result.trace]
    assert len(await chain_of(client, run.workflow_id, str(run.run_id))) > 3


async def test_calls_side_by_side_go_as_on_the_kernel_when_the_run_continues(durable: Durable) -> None:
    served = durable(parrot(parallel_tools=True), continue_policy=ContinuePolicy(events=1))

    ours = await served.run("add 1 2 3 4 5 6")

    theirs = await parrot(parallel_tools=True).run("add 1 2 3 4 5 6")
    assert ours.state.messages == theirs.state.messages
    assert sorted(map(str, told(ours))) == sorted(map(str, told(theirs)))


@ONLY_NORMAL
async def test_a_result_outlives_the_execution_that_its_turn_began_in(client: Client, durable: Durable) -> None:
    session = new_session()
    served = durable(parrot(), continue_policy=ContinuePolicy(events=1))
    await served.run("hello", session_id=session)
    whole = await served.run("add 1 2", session_id=session)
    first, second = served.runs
    histories = await chain_of(client, first.workflow_id, str(first.run_id))
    await delete_history(client, first.workflow_id, *[history.run_id for history in histories[:-1]])
    served.runs.clear()

    for run in (second, served.get_run(session)):
        result = await run.result()
        assert result.model_dump(exclude={"trace"}) == whole.model_dump(exclude={"trace"})
        assert len(result.trace) < len(whole.trace)
    assert await first.state() == whole.state
    with pytest.raises(RunNotFound, match=r"history of turn 1 of .* is gone"):
        await first.result()


async def test_fork_of_a_run_at_work_begins_with_a_step_that_is_over(durable: Durable) -> None:
    gate = Gate()

    @tool
    async def slow() -> str:
        """Wait."""
        await gate.pass_through()
        return "waited"

    script = ScriptedProvider(calls(("add", {"a": 1, "b": 2})), calls(("slow", {})), text("done"), text("forked"))
    run = await durable(Agent(script, tools=[add, slow])).start("go")
    await gate.begun.wait()

    with pytest.raises(BadInput, match=r"step 2 of run .* is not over"):
        await run.fork(step=2)
    fork = await run.fork(step=1, input="rather not")
    gate.open.set()
    answers = {(await fork.result()).answer, (await run.result()).answer}

    assert answers == {"done", "forked"}
    assert texts(await fork.state())[:4] == ["go", "None", "3", "rather not"]


async def test_fork_of_a_paused_run_leaves_the_pause(durable: Durable) -> None:
    @tool(approve=True)
    async def pay() -> str:
        """Pay."""
        return "paid"

    script = ScriptedProvider(calls(("add", {"a": 1, "b": 2})), calls(("pay", {})), text("forked"), text("done"))
    served = durable(Agent(script, tools=[add, pay]))
    run = await served.start("go")
    assert (await run.result()).stopped_reason is StopReason.INTERRUPT

    with pytest.raises(BadInput, match=r"step 2 of run .* is not over"):
        await run.fork(step=2)
    fork = await run.fork(step=1, input="rather not")

    assert (await fork.result()).answer == "forked"
    assert not await fork.pending()
    assert (await served.resume(run.id, "approve")).answer == "done"


@tool
async def broken(why: str) -> str:
    """Raise."""
    raise RuntimeError(why)


class Screen:
    """Rewrites what tools gave."""

    async def after_tool(self, ctx: ToolContext) -> None:
        ctx.result = f"screened {ctx.result}"


async def test_a_recording_with_failing_unknown_and_rewritten_tools_happens_again(durable: Durable) -> None:
    script = [
        calls(("add", {"a": 1, "b": 2}), ("broken", {"why": "no otter"})),
        calls(("broken", {"why": "again"}), ("add", {"a": 3, "b": 4})),
        text("done"),
    ]
    run = await durable(Agent(ScriptedProvider(*script), tools=[add, broken], middleware=[Screen()])).start("go")
    ours = await run.result()

    never = ScriptedProvider(text("never asked"))
    again = await Agent(never, tools=[add, broken], middleware=[Replayer(await recording(run))]).run("go")

    assert (again.answer, never.calls) == (ours.answer, [])
    assert [_said(message) for message in again.state.messages] == [_said(message) for message in ours.state.messages]
    assert [(str(event.type), event.step) for event in again.trace] == [
        (str(event.type), event.step) for event in ours.trace if event.type != "tool_call"
    ]


async def test_a_recording_with_an_unknown_tool_happens_again(durable: Durable) -> None:
    script = [calls(("nowhere", {}), ("add", {"a": 3, "b": 4})), calls(("add", {"a": 1, "b": 1})), text("done")]
    run = await durable(Agent(ScriptedProvider(*script), tools=[add])).start("go")
    ours = await run.result()

    again = await Agent(
        ScriptedProvider(text("never asked")), tools=[add], middleware=[Replayer(await recording(run))]
    ).run("go")

    assert again.answer == ours.answer
    assert again.state.messages == ours.state.messages


def _said(message: Message) -> tuple[str, str | None, list[str]]:
    return message.role.value, message.content, [call.name for call in message.tool_calls]
