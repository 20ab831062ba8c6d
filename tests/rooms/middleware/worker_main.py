"""A worker process for these tests: `python -m tests.rooms.middleware.worker_main ADDRESS TASK_QUEUE FOLDER`."""

import asyncio
import sys
from pathlib import Path

from temporalio.client import Client

from spine_temporal import AgentWorker
from spine_temporal.worker.exit import leave
from tests.rooms.middleware.agents import agents


async def main(address: str, task_queue: str, folder: str) -> None:
    client = await Client.connect(address)
    await AgentWorker(client, agents=agents(Path(folder)), task_queue=task_queue).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
    leave()
