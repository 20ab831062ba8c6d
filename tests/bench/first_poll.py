"""A worker of one side that ends as soon as the server has been asked for work; the imports are its own."""

import asyncio
import os
import sys
from typing import Any

# Both would import it anyway, to connect.
from temporalio.client import Client


async def main(side: str, address: str, task_queue: str) -> None:
    """Work until stdin ends."""
    async with _worker(side, await Client.connect(address), task_queue):
        await asyncio.to_thread(sys.stdin.read)


def _worker(side: str, client: Client, task_queue: str) -> Any:
    if side == "ours":
        from spine_temporal import AgentWorker
        from tests.bench import ours

        return AgentWorker(client, agents=[ours.agent(hooked=False)], task_queue=task_queue)
    from temporalio.worker import Worker

    from tests.bench import bare

    if side == "kernel":
        # What an agent needs in any case, durable or not.
        from tests.bench import ours

        ours.agent(hooked=False)
    return Worker(client, task_queue=task_queue, workflows=[bare.BareAgent], activities=[bare.model, bare.tool])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
    os._exit(0)
