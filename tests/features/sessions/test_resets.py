"""Sessions that an operator takes back with `temporal workflow reset`: they go on, and read as they went on."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from spine_core import Agent, Result, State, StopReason, TraceEvent, tool
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory

from spine_temporal import Run
from spine_temporal.client.status_cursor import StatusCursor
from spine_temporal.contracts import names
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.errors import RunFailed, SessionBusy
from tests.features.sessions.talk import chain_of, looked_at, new_session, parrot, texts, until_closed
from tests.support.agents_at_hand import Gate
from tests.support.harness import Durable, Served, history_of, told
from tests.support.resets import reset, reset_points
from tests.support.waiting import until

pytestmark = pytest.mark.durable


class AtTheEnd:
    """Its hook has the whole turn read, from wherever that began."""

    async def on_run_end(self, state: State, result: Result) -> None:
        state.scratch["ends"] = state.scratch.get("ends", 0) + 1


def attended(gates: dict[str, Gate]) -> Agent:
    return parrot(gates=gates, middleware=[AtTheEnd()])


def continuing(durable: Durable, gates: dict[str, Gate]) -> Served:
    return durable(attended(gates), continue_policy=ContinuePolicy(events=1))


async def executions(client: Client, run: Run) -> list[WorkflowHistory]:
    return await chain_of(client, run.workflow_id, str(run.run_id))


async def test_a_turn_whose_execution_was_cancelled_and_then_reset_is_carried_through(
    client: Client, durable: Durable
) -> None:
    gate, session = Gate(), new_session()
    served = continuing(durable, {"wait": gate})
    run = await served.start("wait here", session_id=session)
    await asyncio.wait_for(gate.begun.wait(), 60)
    await run.cancel()
    await until_closed(client, run.workflow_id)
    last = (await executions(client, run))[-1]
    gate.open.set()

    # Where the conversation had come, and the step was scheduled: before anybody cancelled.
    await reset(client, last, reset_points(last)[1])

    live = await run.result()
    assert live.stopped_reason is StopReason.FINAL
    assert texts(live.state) == ["wait here", "heard wait here"]
    assert live.state.scratch == {"ends": 1}
    assert await run.state() == live.state


async def test_an_execution_that_has_continued_as_new_is_reset_while_others_follow_the_run(
    client: Client, durable: Durable
) -> None:
    gate, session = Gate(), new_session()
    served = continuing(durable, {"wait": gate})
    run = await served.start("add 1 2", session_id=session)
    first = await run.result()
    second = await served.start("wait here", session_id=session)
    await asyncio.wait_for(gate.begun.wait(), 60)
    waiting = asyncio.create_task(second.result())
    followed = asyncio.create_task(events_of(second))
    histories = await executions(client, run)

    await reset(client, histories[-2], reset_points(histories[-2])[-1])
    gate.open.set()

    live = await asyncio.wait_for(waiting, 60)
    assert texts(live.state) == [*texts(first.state), "wait here", "heard wait here"]
    assert await second.result() == live
    # What was taken back had been told by then; it is told anew.
    assert (await asyncio.wait_for(followed, 60))[-len(live.trace) :] == told(live)
    assert await second.state() == live.state


async def test_what_was_accepted_since_is_accepted_again(client: Client, durable: Durable) -> None:
    gate, session = Gate(), new_session()
    served = durable(attended({"wait": gate}))
    first = await served.start("wait here", session_id=session)
    await asyncio.wait_for(gate.begun.wait(), 60)
    second, third = [await served.start(said, session_id=session) for said in ("second", "third")]
    await second.stop()
    await until_told(client, first)
    history = await history_of(client, first)

    await reset(client, history, reset_points(history)[1])
    gate.open.set()

    assert (await first.result()).stopped_reason is StopReason.FINAL
    assert (await second.result()).stopped_reason is StopReason.CANCELLED
    last = await third.result()
    assert texts(last.state) == ["wait here", "heard wait here", "second", "third", "heard third"]
    assert await third.state() == last.state


async def test_a_turn_that_a_reset_took_back_for_good_is_told_and_the_ones_after_it_are_no_other(
    client: Client, durable: Durable
) -> None:
    gate, session = Gate(), new_session()
    served = durable(attended({"wait": gate}))
    first = await served.start("add 1 2", session_id=session)
    await first.result()
    impatient = await say_bare(client, first, "wait here")
    await asyncio.wait_for(gate.begun.wait(), 60)
    third, fourth = [await served.start(said, session_id=session) for said in ("third", "fourth")]
    told_lost, told_third, told_fourth = [asyncio.create_task(outcome_of(run)) for run in (impatient, third, fourth)]
    followed = [asyncio.create_task(ends_of(run)) for run in (impatient, fourth)]
    history = await history_of(client, first)

    # Into the midst of the first turn: whoever will not wait finds it in hand, and did not say where it was accepted.
    await reset(client, history, reset_points(history)[1])
    gate.open.set()

    assert "took its turn 2 back" in str(await asyncio.wait_for(told_lost, 60))
    assert [await asyncio.wait_for(told, 60) for told in (told_third, told_fourth)] == ["heard third", "heard fourth"]
    assert [await asyncio.wait_for(told, 60) for told in followed] == ["lost", "final"]
    # Who comes later reads the same.
    assert [await outcome_of(run) for run in (third, fourth)] == ["heard third", "heard fourth"]
    with pytest.raises(RunFailed, match="not accepted again"):
        await impatient.result()
    with pytest.raises(RunFailed, match="not accepted again"):
        await impatient.stop()
    await fourth.stop()
    state = await fourth.state()
    assert [text for text in texts(state) if "heard" not in text][-2:] == ["third", "fourth"]


async def test_who_waits_for_the_turn_in_hand_waits_for_the_one_that_a_reset_puts_in_its_place(
    client: Client, durable: Durable
) -> None:
    gate, session = Gate(), new_session()
    served = durable(attended({"wait": gate}))
    first = await served.start("add 1 2", session_id=session)
    await first.result()
    await say_bare(client, first, "wait here")
    await asyncio.wait_for(gate.begun.wait(), 60)
    waiting = asyncio.create_task(served.get_run(session).result())
    await until(lambda: looked_at(client, first), "the first look")

    await reset(client, history := await history_of(client, first), reset_points(history)[1])

    assert (await asyncio.wait_for(waiting, 60)).answer == "got 3"
    gate.open.set()


async def test_a_turn_that_would_not_wait_and_was_accepted_waits_when_a_reset_puts_another_before_it(
    client: Client, durable: Durable
) -> None:
    gate, session = Gate(), new_session()
    served = durable(attended({"wait": gate}))
    first = await served.start("wait here", session_id=session)
    gate.open.set()
    await first.result()
    second = await served.start("second", session_id=session, on_busy="reject")
    before = await second.result()
    history = await history_of(client, first)

    await reset(client, history, reset_points(history)[1])

    after = await second.result()
    assert texts(after.state) == texts(before.state) == ["wait here", "heard wait here", "second", "heard second"]
    assert await second.state() == after.state
    gate.open.clear()
    await served.start("wait here", session_id=session)
    with pytest.raises(SessionBusy):
        await served.start("not now", session_id=session, on_busy="reject")
    gate.open.set()


async def test_a_session_that_was_opened_again_and_reset_goes_on_from_where_it_was_closed(
    client: Client, durable: Durable
) -> None:
    gate, session = Gate(), new_session()
    served = durable(attended({"wait": gate}), client_options={"session_ttl_s": 0})
    before = await served.run("before", session_id=session)
    await until_closed(client, served.runs[0].workflow_id)
    run = await served.start("wait here", session_id=session)
    await asyncio.wait_for(gate.begun.wait(), 60)
    history = await history_of(client, run)

    await reset(client, history, reset_points(history)[0])
    gate.open.set()

    after = await run.result()
    assert texts(after.state) == [*texts(before.state), "wait here", "heard wait here"]
    assert await run.state() == after.state


async def test_who_waits_behind_a_decision_that_was_taken_back_is_asked_again(client: Client, durable: Durable) -> None:
    gate, session = Gate(), new_session()

    @tool(approve=True)
    async def add(a: int, b: int) -> int:
        """Add, when let."""
        await gate.pass_through()
        return a + b

    served = durable(parrot(tools=[add]))
    first = await served.start("add 1 2", session_id=session)
    assert (await first.result()).interrupted
    resumed = asyncio.create_task(served.resume(session, True))
    await asyncio.wait_for(gate.begun.wait(), 60)
    followed = asyncio.create_task(types_of(first.events_after(StatusCursor(1))))
    history = await history_of(client, first)

    await reset(client, history, reset_points(history)[0])
    gate.open.set()

    assert (await asyncio.wait_for(resumed, 60)).interrupted
    assert (await asyncio.wait_for(followed, 60))[-1:] == ["interrupt"]
    assert (await served.resume(session, True)).answer == "got 3"


@pytest.mark.every_mode
async def test_a_reset_that_brings_turns_and_a_stop_with_the_end_of_a_step_is_replayed_in_one_order(
    client: Client, durable: Durable
) -> None:
    gate, session = Gate(), new_session()

    @tool
    async def add(a: int, b: int) -> int:
        """Add, when let."""
        await gate.pass_through()
        return a + b

    served = durable(parrot(tools=[add]))
    first = await served.start("add 1 2", session_id=session)
    await asyncio.wait_for(gate.begun.wait(), 60)
    second, third = [await served.start(said, session_id=session) for said in ("second", "third")]
    await second.stop()
    await until_told(client, first)
    history = await history_of(client, first)

    # Where the model's answer is taken in: the tool's call is written with what comes again there.
    await reset(client, history, reset_points(history)[1])
    gate.open.set()

    assert (await first.result()).answer == "got 3"
    assert (await second.result()).stopped_reason is StopReason.CANCELLED
    last = await third.result()
    assert texts(last.state) == ["add 1 2", "None", "3", "got 3", "second", "third", "heard third"]
    assert await third.state() == last.state


async def types_of(events: AsyncIterator[TraceEvent]) -> list[str]:
    return [str(event.type) async for event in events]


async def until_told(client: Client, run: Run) -> None:
    """Wait until a workflow task has taken in that the run was told to stop."""

    async def taken_in() -> bool:
        signaled = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
        events = (await history_of(client, run)).events
        told = [event.event_id for event in events if event.event_type == signaled]
        return bool(told) and reset_points(await history_of(client, run))[-1] > told[0]

    await until(taken_in, f"the stop of {run.workflow_id}")


async def events_of(run: Run) -> list[tuple[str, int, dict[str, Any]]]:
    return [(str(event.type), event.step, event.data) async for event in run.events()]


async def say_bare(client: Client, run: Run, text: str) -> Run:
    """A turn that will not wait, sent as any program sends an update."""
    id_, handle = uuid.uuid4().hex, client.get_workflow_handle(run.workflow_id)
    words = {"input": text, "on_busy": "reject"}
    taken = await handle.execute_update(names.TURN_UPDATE, words, id=id_, result_type=dict)
    return Run(client, id=run.id, workflow_id=run.workflow_id, run_id=run.run_id, turn=taken["turn"], update_id=id_)


async def outcome_of(run: Run) -> str:
    try:
        return str((await run.result()).answer)
    except RunFailed as error:
        return str(error)


async def ends_of(run: Run) -> str:
    try:
        return [event.type async for event in run.events()][-1]
    except RunFailed:
        return "lost"
