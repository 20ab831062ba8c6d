"""The worker process of one side; it works until its stdin ends, then says what its cache counted."""

import asyncio
import contextlib
import json
import os
import sys
from datetime import timedelta
from typing import Any, Final

from temporalio.client import Client
from temporalio.worker import Worker

from spine_temporal import AgentWorker
from tests.bench import bare, ours, talking, waiting

# Given to both, so that neither gains by a default of the other: cache and slots are the SDK's own, in numbers.
_OPTIONS: Final[dict[str, Any]] = {
    "max_cached_workflows": 1000,
    "max_concurrent_workflow_tasks": 100,
    "max_concurrent_activities": 100,
    "max_concurrent_local_activities": 100,
    "sticky_queue_schedule_to_start_timeout": timedelta(seconds=2.5),
    "max_heartbeat_throttle_interval": timedelta(seconds=1),
}


async def serve(side: str, address: str, task_queue: str, middleware: str, options: str) -> dict[str, int]:
    """Work for that side until stdin ends; how often the cache had a State, how often the history was folded."""
    client = await Client.connect(address)
    if side == "bare":
        plain = Worker(
            client,
            task_queue=task_queue,
            workflows=[bare.BareAgent],
            activities=[bare.model, bare.tool],
            **_OPTIONS,
        )
        async with plain:
            await _until_told()
        return {}
    agents = [ours.agent(hooked=middleware == "hooked", local=side == "local"), waiting.agent(), *talking.agents()]
    worker = AgentWorker(client, agents=agents, task_queue=task_queue, **_OPTIONS | json.loads(options))
    async with worker:
        await _until_told()
    cache = worker.plugin.activities_of_agents.cache
    return {"folds": cache.folds, "hits": cache.hits}


async def _until_told() -> None:
    # The end of stdin is also what a parent that died leaves behind.
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    counted = json.dumps(asyncio.run(serve(*sys.argv[1:])))
    with contextlib.suppress(BrokenPipeError):
        print(counted, flush=True)
    # Interpreter exit with temporalio loaded may segfault (sdk-python#300).
    os._exit(0)
