"""Replays a history of a peer, printing seconds: `python -m tests.bench.peers.replay NAME WORKFLOW_ID FILE TIMES`."""

import asyncio
import importlib
import os
import sys
import time
from pathlib import Path

from temporalio.api.history.v1 import History
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer


async def replay(name: str, workflow_id: str, history_bytes: bytes, times: int) -> None:
    """Replay it once more than asked: the first time pays for imports."""
    parts = importlib.import_module(f"tests.bench.peers.{name}").worker()
    plugins = [*parts.get("client_plugins", []), *parts.get("plugins", [])]
    history = WorkflowHistory(workflow_id, list(History.FromString(history_bytes).events))
    for turn in range(times + 1):
        began_s = time.perf_counter()
        await Replayer(workflows=parts["workflows"], plugins=plugins).replay_workflow(history)
        if turn:
            print(time.perf_counter() - began_s, flush=True)


if __name__ == "__main__":
    name, workflow_id, file, times = sys.argv[1:]
    asyncio.run(replay(name, workflow_id, Path(file).read_bytes(), int(times)))
    # Interpreter exit with temporalio loaded may segfault (sdk-python#300).
    os._exit(0)
