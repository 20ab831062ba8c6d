"""How long it takes until there is somebody to work."""

import asyncio
import statistics
import subprocess
import sys
import time
import uuid
from asyncio.subprocess import DEVNULL, PIPE
from dataclasses import dataclass, field
from typing import Final

from temporalio.client import Client

from spine_temporal.client.pollers import count_pollers
from tests.bench.environments import ROOT

SIDES: Final = ("bare", "kernel", "ours")
"""A Temporal worker; the same, with the kernel and an agent imported; an AgentWorker."""
_LOOK_EVERY_S: Final = 0.005
_PATIENCE_S: Final = 60.0
_IMPORT: Final = """
import sys, time
import spine_core, temporalio.client, temporalio.worker, temporalio.contrib.pydantic
began_s = time.perf_counter()
import spine_temporal
for name in sys.argv[1:]:
    getattr(spine_temporal, name)
print(time.perf_counter() - began_s)
"""
_HELP: Final = "from spine_temporal.cli.main import main; main()"


@dataclass(frozen=True, slots=True)
class Starting:
    """Seconds, each as often as it was measured."""

    first_poll_s: dict[str, list[float]] = field(default_factory=lambda: {side: [] for side in SIDES})
    """From the start of the process until the server has been asked for work, by side."""
    import_client_s: list[float] = field(default_factory=list)
    """Of the names that a client has, beyond the SDK and the kernel."""
    import_worker_s: list[float] = field(default_factory=list)
    help_s: list[float] = field(default_factory=list)
    """From the start of the process to the end of `spine-temporal --help`."""

    def ratio(self, base: str) -> float:
        """The first poll of an AgentWorker to that of `base`, which was measured before it."""
        pairs = zip(self.first_poll_s["ours"], self.first_poll_s[base], strict=True)
        return statistics.median(ours / other for ours, other in pairs)


async def start(client: Client, address: str, *, repeats: int) -> Starting:
    """Start workers, clients and the command so many times."""
    found = Starting()
    for _ in range(repeats):
        for side in SIDES:
            found.first_poll_s[side].append(await _first_poll_s(client, address, side))
        found.import_client_s.append(_import_s("DurableAgent", "Run", "Decision", "ActivityPolicy"))
        found.import_worker_s.append(_import_s("AgentWorker"))
        found.help_s.append(_help_s())
    return found


async def _first_poll_s(client: Client, address: str, side: str) -> float:
    task_queue = f"start-{side}-{uuid.uuid4().hex[:8]}"
    command = [sys.executable, "-m", "tests.bench.first_poll", side, address, task_queue]
    return await first_poll_s(client, command, task_queue)


async def first_poll_s(client: Client, command: list[str], task_queue: str, env: dict[str, str] | None = None) -> float:
    """Seconds from the start of a worker's process until the server has been asked for work; the process is ended.

    Raises:
        TimeoutError: the server was not asked within a minute.
    """
    began_s = time.perf_counter()
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=DEVNULL, env=env, cwd=ROOT)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while not await count_pollers(client, task_queue):
                await asyncio.sleep(_LOOK_EVERY_S)
        return time.perf_counter() - began_s
    finally:
        process.kill()
        await process.wait()


def _import_s(*names: str) -> float:
    done = subprocess.run([sys.executable, "-c", _IMPORT, *names], capture_output=True, text=True, check=True)
    return float(done.stdout)


def _help_s() -> float:
    began_s = time.perf_counter()
    subprocess.run([sys.executable, "-c", _HELP, "--help"], capture_output=True, check=True)
    return time.perf_counter() - began_s
