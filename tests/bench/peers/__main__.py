"""The worker process of a peer; it works until its stdin ends: `python -m tests.bench.peers NAME ADDRESS QUEUE`."""

import asyncio
import contextlib
import importlib
import os
import sys

from temporalio.client import Client
from temporalio.worker import Worker

from tests.bench.working import OPTIONS, until_told


async def serve(name: str, address: str, task_queue: str) -> None:
    """Work for that peer until stdin ends."""
    parts = importlib.import_module(f"tests.bench.peers.{name}").worker()
    # Each plugin is given to whom its documentation gives it; a client hands it on to its workers.
    client = await Client.connect(address, plugins=parts.pop("client_plugins", []))
    async with Worker(client, task_queue=task_queue, **parts, **OPTIONS):
        await until_told()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
    with contextlib.suppress(BrokenPipeError):
        print("{}", flush=True)
    # Interpreter exit with temporalio loaded may segfault (sdk-python#300).
    os._exit(0)
