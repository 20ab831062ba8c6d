"""A backend's server that stops in the midst of a conversation."""

import pytest
from spine_core import CheckpointStore
from temporalio.client import Client

from spine_temporal.contracts.policies import ActivityPolicy
from tests.features.sessions.talk import new_session, parrot, texts
from tests.support.agents_at_hand import Gate
from tests.support.harness import ONLY_NORMAL, Durable
from tests.support.services.guarded import GuardedServer
from tests.support.waiting import until

pytestmark = [pytest.mark.durable, ONLY_NORMAL, pytest.mark.parametrize("backend", ["redis", "postgres"])]

IMPATIENT = ActivityPolicy(attempts=3, retry_first_s=0.05)
AT_ONCE = ActivityPolicy(attempts=1000, retry_first_s=0.05, retry_longest_s=0.05)


async def until_tried_again(client: Client, workflow_id: str) -> None:
    """Wait until the activity in hand has failed at least once."""

    async def failed() -> bool:
        description = await client.get_workflow_handle(workflow_id).describe()
        return any(each.attempt > 1 for each in description.raw_description.pending_activities)

    await until(failed, f"a second attempt of {workflow_id}")


async def test_backend_that_stays_down_leaves_the_result_and_has_the_next_one_once_it_is_back(
    durable: Durable, store: CheckpointStore, server: GuardedServer
) -> None:
    session = new_session()
    served = durable(parrot(checkpoint=store), step_policy=IMPATIENT)
    before = await served.run("hello", session_id=session)
    assert await store.get(session) == before.state

    server.stop()
    assert (await served.run("anybody there?", session_id=session)).answer == "heard anybody there?"
    server.start()
    result = await served.run("again", session_id=session)

    assert texts(result.state)[2:] == ["anybody there?", "heard anybody there?", "again", "heard again"]
    assert await store.get(session) == result.state


async def test_backend_that_comes_back_has_the_turn_that_ended_meanwhile(
    client: Client, durable: Durable, store: CheckpointStore, server: GuardedServer
) -> None:
    session, gate = new_session(), Gate()
    served = durable(parrot(checkpoint=store, gates={"wait": gate}), step_policy=AT_ONCE)
    run = await served.start("wait", session_id=session)
    await gate.begun.wait()

    server.stop()
    gate.open.set()
    await until_tried_again(client, run.workflow_id)
    server.start()

    result = await run.result()

    assert await store.get(session) == result.state


async def test_conversation_is_reopened_once_its_backend_is_back(
    client: Client, durable: Durable, store: CheckpointStore, server: GuardedServer
) -> None:
    session = new_session()
    await parrot(checkpoint=store).run("hello", session_id=session)
    served = durable(parrot(checkpoint=store), step_policy=AT_ONCE)

    server.stop()
    run = await served.start("again", session_id=session)
    await until_tried_again(client, run.workflow_id)
    server.start()

    assert texts((await run.result()).state) == ["hello", "heard hello", "again", "heard again"]
