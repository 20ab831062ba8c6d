"""A tenant's conversation is not gone on with in another tenant's name."""

from typing import Any

import pytest
from temporalio.client import Client

from spine_temporal import DurableAgent
from spine_temporal.errors import SpineTemporalError
from tests.features.sessions.talk import new_session, parrot, until_closed
from tests.support.harness import Durable, Served

pytestmark = pytest.mark.durable


def of_tenant(served: Served, client: Client, tenant_id: str | None, **options: Any) -> DurableAgent:
    return DurableAgent(served.name, client, task_queue=served.worker.task_queue, tenant_id=tenant_id, **options)


async def test_turn_in_another_tenants_name_is_refused_and_says_nothing_of_whose_it_is(
    client: Client, durable: Durable
) -> None:
    served, session = durable(parrot()), new_session()
    await served.up()
    ours, theirs, anybody = (of_tenant(served, client, each) for each in ("acme", "emca", None))
    await ours.run("hello", session_id=session)

    with pytest.raises(SpineTemporalError, match="does not belong to tenant 'emca'") as refused:
        await theirs.run("what did they say?", session_id=session)
    again = await ours.run("again", session_id=session)
    result = await anybody.run("bye", session_id=session)

    assert "acme" not in str(refused.value)
    assert again.answer == "heard again"
    assert (result.answer, result.state.tenant_id) == ("heard bye", "acme")
    assert "what did they say?" not in str(result.state.messages)


async def test_closed_session_is_opened_again_in_its_own_tenants_name_only(client: Client, durable: Durable) -> None:
    served, session = durable(parrot()), new_session()
    await served.up()
    ours, theirs = (of_tenant(served, client, each, session_ttl_s=0) for each in ("acme", "emca"))
    await ours.run("hello", session_id=session)
    await until_closed(client, ours.get_run(session).workflow_id)

    with pytest.raises(SpineTemporalError, match="does not belong to tenant 'emca'"):
        await theirs.run("what did they say?", session_id=session)
    result = await ours.run("again", session_id=session)

    assert [message.content for message in result.state.messages if message.role == "user"] == ["hello", "again"]
