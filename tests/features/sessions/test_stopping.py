"""Turns and sessions that somebody ends."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from spine_core import StopReason
from temporalio.client import Client

from spine_temporal import DurableAgent, Run, TemporalCheckpoint
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.errors import RunFailed, UnknownAgent
from tests.features.sessions.talk import OPEN, new_session, parrot, status_of, texts, until_closed
from tests.support.agents_at_hand import Gate
from tests.support.harness import Durable, Served, assert_same

pytestmark = pytest.mark.durable


async def three_turns(served: Served, gate: Gate, session: str) -> list[Run]:
    """The first one is at work, two wait."""
    first = await served.start("wait here", session_id=session)
    await asyncio.wait_for(gate.begun.wait(), 30)
    return [first, *[await served.start(said, session_id=session) for said in ("second", "third")]]


async def test_a_turn_that_is_stopped_in_the_queue_is_over_without_a_step(durable: Durable) -> None:
    gate, session, kernel = Gate(), new_session(), parrot()
    served = durable(parrot(gates={"wait": gate}))
    first, second, third = await three_turns(served, gate, session)
    await second.stop()
    gate.open.set()

    assert_same(await first.result(), await kernel.run("wait here", session_id="s"))
    assert_same(await second.result(), await kernel.run("second", session_id="s", should_cancel=lambda: True))
    assert_same(await third.result(), await kernel.run("third", session_id="s"))


async def test_a_turn_that_is_stopped_in_the_queue_stays_stopped_when_the_run_continues_as_new(
    durable: Durable,
) -> None:
    gate, session = Gate(), new_session()
    served = durable(parrot(gates={"wait": gate}), continue_policy=ContinuePolicy(events=1))
    first, second, third = await three_turns(served, gate, session)
    await third.stop()
    gate.open.set()

    assert (await second.result()).answer == "heard second"
    assert (await third.result()).stopped_reason is StopReason.CANCELLED
    assert texts(await first.state()) == ["wait here", "heard wait here", "second", "heard second", "third"]


@pytest.mark.parametrize("by_id", [False, True], ids=["its_run", "the_session"])
async def test_the_turn_in_hand_is_stopped_alone(durable: Durable, by_id: bool) -> None:
    gate, session, kernel = Gate(), new_session(), parrot()
    served = durable(parrot(gates={"add": gate}))
    first = await served.start("add 1 2", session_id=session)
    await gate.begun.wait()
    second = await served.start("second", session_id=session)
    await (served.get_run(session) if by_id else first).stop()
    gate.open.set()

    asked = iter([False, True])
    ours = await first.result()
    assert_same(ours, await kernel.run("add 1 2", session_id="s", should_cancel=lambda: next(asked)))
    assert_same(await second.result(), await kernel.run("second", session_id="s"))


@pytest.mark.parametrize("which", [0, 1])
async def test_stopping_a_turn_that_is_over_leaves_a_later_one_alone(durable: Durable, which: int) -> None:
    gate, session = Gate(), new_session()
    served = durable(parrot(gates={"wait": gate}))
    for said in ("first", "second"):
        await served.run(said, session_id=session)
    third = await served.start("wait here", session_id=session)
    await gate.begun.wait()
    await served.runs[which].stop()
    gate.open.set()

    assert (await third.result()).answer == "heard wait here"


@pytest.mark.parametrize("by_id", [False, True], ids=["its_run", "the_session"])
async def test_stopping_an_idle_session_closes_it(durable: Durable, by_id: bool) -> None:
    served, session, kernel = durable(parrot()), new_session(), parrot()
    await kernel.run("hello", session_id="s")
    before = await served.run("hello", session_id=session)
    run = served.get_run(session) if by_id else served.runs[0]
    await run.stop()
    await until_closed(durable.client, run.workflow_id)

    assert await run.result() == before
    assert_same(await served.run("again", session_id=session), await kernel.run("again", session_id="s"))


async def test_cancelling_ends_the_turn_in_hand_and_lets_no_queued_one_begin(durable: Durable) -> None:
    gate, session = Gate(), new_session()
    served = durable(parrot(gates={"wait": gate}))
    first, second, third = await three_turns(served, gate, session)
    await second.cancel()

    assert (await first.result()).stopped_reason is StopReason.CANCELLED
    for run in (second, third):
        with pytest.raises(RunFailed, match="closed before its turn"):
            await run.result()
    assert texts((await served.run("again", session_id=session)).state) == ["wait here", "again", "heard again"]


async def test_cancelling_an_idle_session_closes_it_and_leaves_its_results(durable: Durable) -> None:
    served, session = durable(parrot()), new_session()
    before = await served.run("hello", session_id=session)
    await served.runs[0].cancel()
    await until_closed(durable.client, served.runs[0].workflow_id)

    assert await served.runs[0].result() == before
    assert await served.get_run(session).result() == before


async def _fail(served: Served, session: str) -> None:
    nobody = DurableAgent("nobody", served.runs[0]._client, task_queue=served.task_queue)
    with pytest.raises(UnknownAgent):
        await nobody.run("is anybody there?", session_id=session)


async def _cancel(served: Served, session: str) -> None:
    await served.get_run(session).cancel()


async def _terminate(served: Served, session: str) -> None:
    await served.runs[0]._handle().terminate(reason="enough")


@pytest.mark.parametrize("end", [_fail, _cancel, _terminate])
async def test_a_session_goes_on_after_it_failed_was_cancelled_or_terminated(
    durable: Durable, end: Callable[[Served, str], Awaitable[None]]
) -> None:
    ttl_s = 0.0 if end is _fail else 600.0
    served, session, kernel = durable(parrot(), client_options={"session_ttl_s": ttl_s}), new_session(), parrot()
    await kernel.run("hello", session_id="s")
    await served.run("hello", session_id=session)
    if end is _fail:
        await until_closed(durable.client, served.runs[0].workflow_id)
    await end(served, session)
    await until_closed(durable.client, served.runs[0].workflow_id)

    assert_same(await served.run("add 1 2", session_id=session), await kernel.run("add 1 2", session_id="s"))


@pytest.mark.parametrize("ttl_s", [0.0, 600.0])
async def test_a_deleted_session_begins_anew(client: Client, durable: Durable, ttl_s: float) -> None:
    served, session = durable(parrot(), client_options={"session_ttl_s": ttl_s}), new_session()
    await served.run("hello", session_id=session)
    if not ttl_s:
        await until_closed(client, served.runs[0].workflow_id)
    await TemporalCheckpoint(client).delete(session)
    served.runs.clear()

    assert_same(await served.run("add 1 2", session_id=session), await parrot().run("add 1 2"))
    assert await status_of(client, served.runs[0].workflow_id) == OPEN or not ttl_s
