"""Any agent, run durably for the length of a test."""

import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from spine_core import Agent
from temporalio.client import Client

from spine_temporal.agents.registry import AgentFactory
from spine_temporal.client.agent import DurableAgent
from spine_temporal.testing.server import dev_server
from spine_temporal.worker.worker import AgentWorker


@asynccontextmanager
async def durable(
    agent: Agent | AgentFactory, *, client: Client | None = None, **worker_options: Any
) -> AsyncIterator[DurableAgent]:
    """A worker for `agent` in this process, with a DurableAgent on it.

    Without a `client` it boots a server of its own, which takes about a quarter of a second; share one with
    `dev_server` when there are many tests. `worker_options` go to `AgentWorker`.
    """
    name = (agent.name if isinstance(agent, Agent) else None) or "agent"
    async with AsyncExitStack() as stack:
        if client is None:
            server = await stack.enter_async_context(dev_server())
            client = server.client
        worker = AgentWorker(client, agents={name: agent}, task_queue=f"test-{uuid.uuid4().hex}", **worker_options)
        await stack.enter_async_context(worker)
        yield DurableAgent(name, client, task_queue=worker.task_queue)
