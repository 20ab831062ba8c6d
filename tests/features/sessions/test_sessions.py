"""Turns that race with each other, with the opening of their session, with its closing."""

import asyncio
from collections import Counter

import pytest
from spine_core import Agent, Guards, StopReason
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.client.sessions import SessionStarter
from spine_temporal.contracts.continuation import RestorePoint
from spine_temporal.contracts.run_request import RunRequest
from spine_temporal.errors import SessionBusy
from tests.features.sessions.talk import new_session, parrot, texts, until_closed
from tests.support.agents_at_hand import Gate
from tests.support.harness import ONLY_NORMAL, Durable, Mode, assert_same
from tests.support.waiting import until

pytestmark = pytest.mark.durable

SAID = ["hello", "add 1 2", "add 1 2 3 4", "bye"]


@pytest.mark.parametrize(
    "guards", [Guards(max_steps=3), Guards(max_cost_usd=0.75), Guards(max_tokens=12)], ids=["steps", "cost", "tokens"]
)
async def test_guards_count_the_whole_session(durable: Durable, guards: Guards) -> None:
    served, kernel, session = durable(parrot(guards=guards)), parrot(guards=guards), new_session()

    for said in SAID:
        ours = await served.run(said, session_id=session)
        assert_same(ours, await kernel.run(said, session_id="s"))

    assert ours.stopped_reason in (StopReason.MAX_STEPS, StopReason.MAX_COST, StopReason.MAX_TOKENS)


async def test_of_many_turns_at_once_from_several_clients_none_is_lost_or_doubled(
    client: Client, durable: Durable
) -> None:
    served, session = durable(parrot()), new_session()
    await served.up()
    clients = [await Client.connect(client.service_client.config.target_host) for _ in range(4)]
    agents = [DurableAgent("agent", each, task_queue=served.task_queue) for each in clients]
    words = [f"words {n}" for n in range(16)]

    runs = await asyncio.gather(*[agents[n % 4].start(said, session_id=session) for n, said in enumerate(words)])
    results = await asyncio.gather(*[run.result() for run in runs])

    state = await served.get_run(session).state()
    said = [str(message.content) for message in state.messages if message.role == "user"]
    assert Counter(said) == Counter(words)
    assert sorted(run.turn or 1 for run in runs) == list(range(1, 17))
    accepted = sorted(range(16), key=lambda n: runs[n].turn or 1)
    assert said == [words[n] for n in accepted]
    assert [results[n].answer for n in accepted] == [f"heard {words[n]}" for n in accepted]
    assert [results[n].state.step for n in accepted] == list(range(1, 17))


@ONLY_NORMAL
async def test_who_will_not_wait_is_refused_also_while_a_worker_still_builds_the_agent(
    client: Client, mode: Mode
) -> None:
    gate, session, queue = Gate(), new_session(), new_session()

    async def build() -> Agent:
        await gate.pass_through()
        return parrot()

    async with AgentWorker(client, agents={"agent": build}, task_queue=queue, **mode.options):
        agent = DurableAgent("agent", client, task_queue=queue)
        run = await agent.start("hello", session_id=session)
        await gate.begun.wait()
        with pytest.raises(SessionBusy, match="turn 1 runs"):
            await agent.run("now!", session_id=session, on_busy="reject")
        gate.open.set()

        assert texts((await run.result()).state) == ["hello", "heard hello"]


@pytest.mark.parametrize("ttl_s", [0.0, 0.02])
async def test_turns_that_race_with_the_closing_of_their_session_are_worked_on(durable: Durable, ttl_s: float) -> None:
    served, kernel = durable(parrot(), client_options={"session_ttl_s": ttl_s}), parrot()
    session = new_session()

    for n in range(12):
        assert_same(await served.run(f"{n}", session_id=session), await kernel.run(f"{n}", session_id="s"))


@pytest.mark.parametrize("ttl_s", [0.0, 600.0])
async def test_ten_clients_at_once_reopen_a_session_and_no_turn_is_lost(durable: Durable, ttl_s: float) -> None:
    served, session = durable(parrot(), client_options={"session_ttl_s": 0.0}), new_session()
    first = await served.run("hello", session_id=session)
    await until_closed(durable.client, served.runs[0].workflow_id)
    agent = DurableAgent("agent", durable.client, task_queue=served.task_queue, session_ttl_s=ttl_s)

    results = await asyncio.gather(*[agent.run(f"words {n}", session_id=session) for n in range(10)])

    assert [result.answer for result in results] == [f"heard words {n}" for n in range(10)]
    state = await served.get_run(session).state()
    assert texts(state)[:2] == texts(first.state)
    assert Counter(texts(state)) == Counter(
        ["hello", "heard hello", *(f"{heard}words {n}" for n in range(10) for heard in ("", "heard "))]
    )
    assert sorted(result.state.step for result in results) == list(range(2, 12))


async def test_a_session_that_somebody_else_opened_and_closed_meanwhile_loses_no_turn(durable: Durable) -> None:
    served, session = durable(parrot(), client_options={"session_ttl_s": 0.0}), new_session()
    for said in ("first", "second"):
        await served.run(said, session_id=session)
        await until_closed(durable.client, served.runs[0].workflow_id)
    first = served.runs[0]

    async def is_listed() -> bool:
        ids = [each.run_id async for each in durable.client.list_workflows(f"WorkflowId = '{first.workflow_id}'")]
        return len(ids) == 2

    await until(is_listed, "both executions in the server's list")
    stale = RestorePoint(workflow_id=first.workflow_id, run_id=str(first.run_id))
    request = RunRequest(agent="agent", input="third", session_id=session, named=True, origin=stale)
    await SessionStarter(durable.client, served.task_queue).start(first.workflow_id, request, anew=True)

    result = await served.get_run(session).result()

    assert texts(result.state) == ["first", "heard first", "second", "heard second", "third", "heard third"]
