"""A run whose payloads are encrypted is a run as any other, for whoever has the keys."""

import uuid

import pytest
from spine_core import Agent, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.api.history.v1 import History
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.errors import PayloadUnreadable
from tests.features.providers.test_secrets import forms_of
from tests.support.harness import history_of

pytestmark = pytest.mark.durable

SECRET = "the-otter-is-called-Quentin"


@tool
def look_up(name: str) -> str:
    """Look it up."""
    return f"{name} knows {SECRET}"


def otter_agent() -> Agent:
    provider = ScriptedProvider(calls(("look_up", {"name": SECRET})), text(f"It is {SECRET}."))
    return Agent(provider, tools=[look_up], name="otter")


async def test_run_completes_encrypted_and_is_read_by_whoever_has_the_keys(sealed: Client, client: Client) -> None:
    queue = f"test-{uuid.uuid4().hex}"
    async with AgentWorker(sealed, agents=[otter_agent()], task_queue=queue):
        run = await DurableAgent("otter", sealed, task_queue=queue).start(f"who is {SECRET}?")
        result = await run.result()

    assert result.answer == f"It is {SECRET}."
    assert await run.state() == result.state
    written = History(events=(await history_of(sealed, run)).events).SerializeToString()
    assert [form for form in forms_of(SECRET) if form in written] == []
    assert b"first" in written
    with pytest.raises(PayloadUnreadable, match="no codec here"):
        await DurableAgent("otter", client, task_queue=queue).get_run(run.id).state()
