"""A worker process for these tests: `python -m tests.features.adapters.worker_main ADDRESS TASK_QUEUE FOLDER URL`."""

import asyncio
import sys
from pathlib import Path

from temporalio.client import Client

from spine_temporal import AgentWorker
from spine_temporal.worker.exit import leave
from tests.features.adapters.agents import factories


async def main(address: str, task_queue: str, folder: str, url: str) -> None:
    client = await Client.connect(address)
    await AgentWorker(client, agents=factories(Path(folder), url), task_queue=task_queue).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
    leave()
