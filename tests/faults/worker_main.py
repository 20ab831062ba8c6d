"""A worker process for the fault tests: `python -m tests.faults.worker_main ADDRESS TASK_QUEUE FOLDER`."""

import asyncio
import sys
from pathlib import Path
from typing import Any

from temporalio.client import Client

from spine_temporal import AgentWorker
from spine_temporal.worker.exit import leave
from tests.faults.agents import counting_agent, moody_agent, paying_agent, paying_once_agent
from tests.faults.matrix_agents import matrix_agents


async def main(address: str, task_queue: str, folder: str, options: dict[str, Any]) -> None:
    client = await Client.connect(address)
    agents = [make(Path(folder)) for make in (counting_agent, moody_agent, paying_agent, paying_once_agent)]
    agents += matrix_agents(Path(folder))
    await AgentWorker(client, agents=agents, task_queue=task_queue, **options).run()


def run(address: str, task_queue: str, folder: str, options: dict[str, Any] | None = None) -> None:
    """Work until SIGTERM, then end the process."""
    asyncio.run(main(address, task_queue, folder, options or {}))
    leave()


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], sys.argv[3])
