"""A worker process for the fault tests: `python -m tests.faults.worker_main ADDRESS TASK_QUEUE FOLDER`."""

import asyncio
import sys
from pathlib import Path

from temporalio.client import Client

from spine_temporal import AgentWorker
from spine_temporal.worker.exit import leave
from tests.faults.agents import counting_agent, paying_agent, paying_once_agent


async def main(address: str, task_queue: str, folder: str) -> None:
    client = await Client.connect(address)
    agents = [make(Path(folder)) for make in (counting_agent, paying_agent, paying_once_agent)]
    await AgentWorker(client, agents=agents, task_queue=task_queue).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
    leave()
