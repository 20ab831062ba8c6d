"""A worker process with a team: `python -m tests.features.teams.worker_main ADDRESS TASK_QUEUE FOLDER`."""

import asyncio
import sys
from pathlib import Path
from typing import Any

from spine_core import Agent, Message, ModelResponse
from spine_core.testing import calls, text
from temporalio.client import Client

from spine_temporal import AgentWorker, Handoff
from spine_temporal.worker.exit import leave
from tests.faults.agents import Effects


class Member:
    """A model that leaves a line in a file whenever it is asked; it transfers once, if it has somebody to."""

    def __init__(self, effects: Effects, name: str, peer: str | None) -> None:
        self._effects = effects
        self._name = name
        self._peer = peer

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        at = sum(message.role == "assistant" for message in messages)
        await self._effects.happen(f"{self._name}-{at}")
        if at == 0 and self._peer is not None:
            return calls((f"transfer_to_{self._peer}", {}))
        return text(f"{self._name} says {messages[0].content}")


def desk(folder: Path) -> Handoff:
    effects = Effects(folder)
    members = {
        "first": Agent(Member(effects, "first", "second")),
        "second": Agent(Member(effects, "second", "third")),
        "third": Agent(Member(effects, "third", None)),
    }
    return Handoff(members, start="first")


async def main(address: str, task_queue: str, folder: str, options: dict[str, Any]) -> None:
    client = await Client.connect(address)
    await AgentWorker(client, agents={"desk": desk(Path(folder))}, task_queue=task_queue, **options).run()


def run(address: str, task_queue: str, folder: str, options: dict[str, Any] | None = None) -> None:
    """Work until SIGTERM, then end the process."""
    asyncio.run(main(address, task_queue, folder, options or {}))
    leave()


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], sys.argv[3])
