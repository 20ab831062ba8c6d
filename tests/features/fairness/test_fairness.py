"""Workers are shared out among tenants: what one has queued does not delay another."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from spine_core import Agent, Message, ModelResponse
from spine_core.testing import text
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.common import Priority

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.errors import BadInput
from spine_temporal.testing import dev_server
from tests.features.teams.crews import Boss, ask, finder
from tests.support.harness import Durable, history_of

pytestmark = pytest.mark.durable

QUEUED = 60


class Noting:
    """Notes whose runs it is asked for, in order."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def complete(self, messages: list[Message], *_: Any, **__: Any) -> ModelResponse:
        self.asked.append(str(messages[-1].content))
        return text("yes")


@pytest_asyncio.fixture(scope="module")
async def fair() -> AsyncIterator[Client]:
    """A server that looks at fairness keys."""
    async with dev_server(dynamic_config={"matching.enableFairness": True}) as server:
        yield server.client


async def order_of(client: Client, tenants: tuple[str | None, str | None]) -> list[str]:
    """Whose runs two small workers worked for, in order: many of one tenant were there before one of another."""
    queue, model = f"fair-{uuid.uuid4().hex}", Noting()
    many, one = (DurableAgent("agent", client, task_queue=queue, tenant_id=each) for each in tenants)
    runs = await asyncio.gather(*(many.start("many") for _ in range(QUEUED)))
    runs.append(await one.start("one"))
    small: dict[str, Any] = {"max_concurrent_activities": 1, "max_cached_workflows": 2}
    small |= {"max_concurrent_workflow_tasks": 2}
    other = await Client.connect(client.service_client.config.target_host)
    agent = Agent(model)
    async with (
        AgentWorker(client, agents={"agent": agent}, task_queue=queue, **small),
        AgentWorker(other, agents={"agent": agent}, task_queue=queue, **small),
    ):
        await runs[-1].result()
        await asyncio.gather(*(run.result() for run in runs))
    return model.asked


async def test_what_one_tenant_has_queued_does_not_delay_another(fair: Client) -> None:
    shared_out = (await order_of(fair, ("acme", "emca"))).index("one")
    in_order = (await order_of(fair, (None, None))).index("one")

    assert shared_out < QUEUED / 4
    assert in_order > QUEUED / 2


def priorities(events: list[HistoryEvent]) -> list[tuple[int, str, float]]:
    """Of the workflow and of each activity, where it says something of its own."""
    said = []
    for event in events:
        for name in ("workflow_execution_started_event_attributes", "activity_task_scheduled_event_attributes"):
            if event.HasField(name) and getattr(event, name).HasField("priority"):
                priority = getattr(event, name).priority
                said.append((priority.priority_key, priority.fairness_key, priority.fairness_weight))
    return said


async def test_the_tenant_and_the_priority_go_with_the_run_wherever_it_goes(client: Client, durable: Durable) -> None:
    options = {"tenant_id": "acme", "priority": Priority(priority_key=2, fairness_weight=3.0)}
    team = Agent(Boss([ask("finder")]), tools=[finder().as_tool(name="finder")])
    served = durable(team, client_options=options, continue_policy=ContinuePolicy(events=1))
    run = await served.start("otters", session_id=f"fair-{uuid.uuid4().hex[:6]}")
    result = await run.result()
    latest = list((await history_of(client, served.get_run(run.id))).events)

    assert result.state.tenant_id == "acme"
    assert priorities(latest)[0] == (2, "acme", 3.0)
    forked = await run.fork(step=1, input="more")
    assert (await forked.result()).state.tenant_id == "acme"
    assert priorities(list((await history_of(client, forked)).events))[0] == (2, "acme", 3.0)


async def test_a_tenant_that_the_agent_names_is_the_fairness_key_of_its_activities(
    client: Client, durable: Durable
) -> None:
    served = durable(Agent(Noting(), tenant_id="x" * 65))
    run = await served.start("hello")
    await run.result()

    (step,) = [each for each in priorities(list((await history_of(client, run)).events)) if each[1]]
    assert len(step[1]) == 32


@pytest.mark.parametrize(
    "options",
    [
        {"tenant_id": ""},
        {"tenant_id": 7},
        {"tenant_id": "\ud800"},
        {"tenant_id": "a\0b"},
        {"tenant_id": "acme", "priority": Priority(fairness_key="emca")},
    ],
    ids=str,
)
def test_what_is_no_tenant_is_refused(client: Client, options: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="tenant_id"):
        DurableAgent("agent", client, **options)
