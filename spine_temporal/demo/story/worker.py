"""A worker process of the story; its command line is `WorkerArgs.command`."""

import asyncio
import logging
import os
import sys
import threading
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final, NoReturn

from temporalio.client import Client

from spine_temporal.demo.agent import demo_agent
from spine_temporal.demo.story.calls import CallLog, counted
from spine_temporal.worker.exit import leave
from spine_temporal.worker.process import work_until_signalled
from spine_temporal.worker.worker import AgentWorker

READY: Final = b"ready\n"
"""What it writes to stdout once it polls."""


@dataclass(frozen=True, slots=True)
class WorkerArgs:
    """What a worker of the story has to know. `model` may be empty: the one at hand."""

    address: str
    task_queue: str
    folder: str
    model: str
    calls: str
    """The file of the call log."""

    def command(self, name: str) -> list[str]:
        """The command line of a worker called `name`."""
        # -P: the current folder is the user's; a logging.py in it must not become ours.
        return [sys.executable, "-P", "-m", "spine_temporal.demo.story.worker", name, *astuple(self)]


def identity_of(name: str, pid: int) -> str:
    """What the history calls a worker."""
    return f"{name} (pid {pid})"


def main() -> NoReturn:
    """Work until SIGTERM, or until whoever holds the other end of stdin is gone."""
    name, *rest = sys.argv[1:]
    threading.Thread(target=_end_with_owner, daemon=True).start()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    asyncio.run(_work(WorkerArgs(*rest), identity_of(name, os.getpid())))
    leave()


async def _work(args: WorkerArgs, identity: str) -> NoReturn:
    client = await Client.connect(args.address)
    agent = counted(demo_agent(Path(args.folder), args.model or None), CallLog(Path(args.calls)), identity)
    worker = AgentWorker(client, agents=[agent], task_queue=args.task_queue, identity=identity)
    await work_until_signalled(worker, ready=_print_ready)
    leave()


def _print_ready() -> None:
    os.write(1, READY)


def _end_with_owner() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
