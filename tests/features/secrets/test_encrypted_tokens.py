"""What the model writes is encrypted on its way, like everything else."""

import asyncio
import uuid

import pytest
from spine_core import TraceEvent
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent, Run
from tests.features.tokens.streaming import TEXTS, Streams, agent
from tests.support.agents_at_hand import Gate
from tests.support.waiting import until

pytestmark = pytest.mark.durable


async def test_the_server_never_sees_what_the_model_writes(client: Client, sealed: Client) -> None:
    gate, events = Gate(), list[TraceEvent]()

    async def read(run: Run) -> None:
        async for event in run.events(tokens=True):
            events.append(event)

    task_queue = f"tokens-{uuid.uuid4().hex}"
    async with AgentWorker(sealed, agents={"agent": agent(Streams(gate))}, task_queue=task_queue):
        run = await DurableAgent("agent", sealed, task_queue=task_queue).start("1 + 2?", tokens=True)
        reading = asyncio.create_task(read(run))
        await until(lambda: any(event.type == "token" for event in events), "the first piece")
        described = await client.get_workflow_handle(run.workflow_id).describe()
        beaten = described.raw_description.pending_activities[0].heartbeat_details
        gate.open.set()
        await reading

    assert beaten.payloads
    assert TEXTS[0].encode() not in beaten.SerializeToString()
    assert "".join(event.data["delta"] for event in events if event.type == "token" and event.step == 1) == "".join(
        TEXTS
    )
