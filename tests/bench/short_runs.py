"""Whether a worker grows with the runs that it has served."""

import asyncio
import time
import uuid
from dataclasses import dataclass
from typing import Final

from temporalio.client import Client

from spine_temporal import DurableAgent
from tests.bench import job, ours
from tests.bench.processes import queue_of, worker_process

_AT_ONCE: Final = 25
_SIZE: Final = 200
# The first runs fill it: what a worker gains after them is no cache.
_CACHE_BYTES: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class ShortRuns:
    """What a worker held after the first of them, after all; every other run has a local tool call."""

    first: int
    runs: int
    first_bytes: int
    all_bytes: int
    wall_s: float

    @property
    def growth(self) -> float:
        """All to the first."""
        return self.all_bytes / self.first_bytes


async def short_runs(client: Client, address: str, *, first: int, runs: int) -> ShortRuns:
    """Have a new worker serve so many runs of one step or two."""
    durable = DurableAgent(ours.NAME, client, task_queue=queue_of("local"), session_ttl_s=0)
    async with worker_process("local", address, cache_bytes=_CACHE_BYTES) as worker:
        began_s = time.perf_counter()
        await _serve(durable, first)
        first_bytes = worker.memory_bytes
        await _serve(durable, runs - first)
        all_bytes, wall_s = worker.memory_bytes, time.perf_counter() - began_s
        await worker.stop()
    return ShortRuns(first, runs, first_bytes, all_bytes, wall_s)


async def _serve(durable: DurableAgent, runs: int) -> None:
    left = iter(range(runs))

    async def caller() -> None:
        for number in left:
            calls = number % 2
            result = await durable.run(job.question(calls, _SIZE), session_id=uuid.uuid4().hex)
            if result.state.step != calls + 1:
                raise RuntimeError(f"a run ended with {result.stopped_reason} {result.error}")

    await asyncio.gather(*(caller() for _ in range(_AT_ONCE)))
