"""Several turns with one session id are one conversation."""

import asyncio

import pytest
from spine_core import Agent, Guards, StopReason, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.client import Client

from spine_temporal import DurableAgent, TemporalCheckpoint
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.errors import SessionBusy
from tests.features.sessions.talk import new_session, parrot, texts, until_closed, until_queued
from tests.support.agents_at_hand import Gate
from tests.support.harness import Durable, assert_same

pytestmark = pytest.mark.durable


async def test_turns_of_a_session_are_the_kernels(durable: Durable) -> None:
    served, kernel, session = durable(parrot()), parrot(), new_session()

    for said in ("hello", "add 1 2 3 4", "bye"):
        assert_same(await served.run(said, session_id=session), await kernel.run(said, session_id="s"))


async def test_guards_count_the_whole_session(durable: Durable) -> None:
    guards, session = Guards(max_steps=2), new_session()
    served, kernel = durable(parrot(guards=guards)), parrot(guards=guards)

    for said, reason in (("one", StopReason.FINAL), ("two", StopReason.FINAL), ("three", StopReason.MAX_STEPS)):
        ours = await served.run(said, session_id=session)
        assert ours.stopped_reason is reason
        assert_same(ours, await kernel.run(said, session_id="s"))


async def test_what_is_said_while_a_turn_runs_waits_for_it_in_order(durable: Durable) -> None:
    gate, session = Gate(), new_session()
    served = durable(parrot(gates={"wait": gate}))
    first = await served.start("wait here", session_id=session)
    await gate.begun.wait()
    second = await served.start("second", session_id=session)
    third = await served.start("third", session_id=session)
    gate.open.set()

    results = [await run.result() for run in (third, first, second)]

    assert (first.turn, second.turn, third.turn) == (1, 2, 3)
    said = ["wait here", "heard wait here", "second", "heard second", "third", "heard third"]
    assert [texts(result.state) for result in results] == [said, said[:2], said[:4]]


async def test_of_many_turns_at_once_none_is_lost(durable: Durable) -> None:
    served, session = durable(parrot(), continue_policy=ContinuePolicy(events=20)), new_session()
    await served.run("first", session_id=session)

    results = await asyncio.gather(*(served.run(f"turn {n}", session_id=session) for n in range(12)))

    assert sorted(str(result.answer) for result in results) == sorted(f"heard turn {n}" for n in range(12))
    whole = max((texts(result.state) for result in results), key=len)
    assert sorted(whole[2::2]) == sorted(f"turn {n}" for n in range(12))


async def test_busy_session_refuses_when_it_is_asked_to(durable: Durable) -> None:
    gate, session = Gate(), new_session()
    served = durable(parrot(gates={"wait": gate}))
    run = await served.start("wait here", session_id=session)
    await gate.begun.wait()

    with pytest.raises(SessionBusy, match=f"session '{session}' is busy: turn 1 runs"):
        await served.run("now", session_id=session, on_busy="reject")
    gate.open.set()

    await run.result()
    assert (await served.run("now", session_id=session, on_busy="reject")).answer == "heard now"


async def test_queue_that_is_full_refuses(durable: Durable) -> None:
    gate, session = Gate(), new_session()
    served = durable(parrot(gates={"wait": gate}))
    run = await served.start("wait here", session_id=session)
    await gate.begun.wait()
    await served.start("x" * 900_000, session_id=session)

    with pytest.raises(SessionBusy, match="1 turns wait already with 900,002 bytes of JSON of the 1,000,000"):
        await served.start("x" * 200_000, session_id=session)
    await run.cancel()
    gate.open.set()


async def test_session_is_with_one_agent(client: Client, durable: Durable) -> None:
    served, session = durable(parrot()), new_session()
    await served.run("hello", session_id=session)

    other = DurableAgent("another", client, task_queue=served.task_queue)
    with pytest.raises(ValueError, match="is open with agent 'agent', not with 'another'"):
        await other.run("hello", session_id=session)


async def test_closed_session_is_opened_again(client: Client, durable: Durable) -> None:
    served, kernel, session = durable(parrot(), client_options={"session_ttl_s": 0}), parrot(), new_session()

    for said in ("hello", "add 1 2", "bye"):
        run = await served.start(said, session_id=session)
        assert_same(await run.result(), await kernel.run(said, session_id="s"))
        await until_closed(client, run.workflow_id)
    assert len({run.run_id for run in served.runs}) == 3


async def test_racing_turns_on_a_closed_session_open_it_once(client: Client, durable: Durable) -> None:
    served, session = durable(parrot(), client_options={"session_ttl_s": 0.0}), new_session()
    run = await served.start("first", session_id=session)
    await run.result()
    await until_closed(client, run.workflow_id)

    await asyncio.gather(*(served.run(f"turn {n}", session_id=session) for n in range(6)))

    whole = texts(await served.get_run(session).state())
    assert whole[:2] == ["first", "heard first"]
    assert sorted(whole[2::2]) == sorted(f"turn {n}" for n in range(6))


@pytest.mark.parametrize("end", ["cancel", "terminate"])
async def test_session_goes_on_after_it_was_ended_from_outside(client: Client, durable: Durable, end: str) -> None:
    gate, session = Gate(), new_session()
    served = durable(parrot(gates={"wait": gate}))
    await served.run("hello", session_id=session)
    run = await served.start("wait here", session_id=session)
    await gate.begun.wait()
    handle = client.get_workflow_handle(run.workflow_id)
    await (handle.cancel() if end == "cancel" else handle.terminate(reason="enough"))
    await until_closed(client, run.workflow_id)
    gate.open.set()

    result = await served.run("again", session_id=session)

    assert texts(result.state) == ["hello", "heard hello", "wait here", "again", "heard again"]


async def test_deleted_session_begins_anew(client: Client, durable: Durable) -> None:
    served, session = durable(parrot()), new_session()
    await served.run("hello", session_id=session)
    await TemporalCheckpoint(client).delete(session)
    served.runs.clear()

    result = await served.run("again", session_id=session)

    assert texts(result.state) == ["again", "heard again"]


async def test_stopping_ends_a_turn_in_the_queue_or_closes_an_idle_session(client: Client, durable: Durable) -> None:
    gate, session = Gate(), new_session()
    served = durable(parrot(gates={"wait": gate}))
    first = await served.start("wait here", session_id=session)
    await gate.begun.wait()
    second = await served.start("never", session_id=session)
    await until_queued(client, served, session, 1)
    await second.stop()
    gate.open.set()

    assert (await first.result()).answer == "heard wait here"
    assert (await second.result()).stopped_reason is StopReason.CANCELLED
    await served.get_run(session).stop()
    await until_closed(client, first.workflow_id)


async def test_result_of_an_earlier_turn_stays(durable: Durable) -> None:
    served, session = durable(parrot()), new_session()
    runs = [await served.start(said, session_id=session) for said in ("one", "add 2 2", "three")]
    results = [await run.result() for run in runs]

    assert [await run.result() for run in runs] == results
    assert await served.get_run(session).result() == results[-1]
    assert [event.type async for event in runs[1].events()] == [event.type for event in results[1].trace]


async def test_resume_gives_the_result_of_the_turn_that_was_paused(durable: Durable) -> None:
    @tool(approve=True)
    async def pay(amount: int) -> str:
        """Pay."""
        return f"paid {amount}"

    script = ScriptedProvider(calls(("pay", {"amount": 7})), text("first is done"), text("second is done"))
    served, session = durable(Agent(script, tools=[pay])), new_session()
    await served.run("first", session_id=session)
    second = await served.start("second", session_id=session)

    result = await served.resume(session)

    assert (result.answer, (await second.result()).answer) == ("first is done", "second is done")
