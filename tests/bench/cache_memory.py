"""Whether `cache_bytes` bounds the memory of a worker: conversations that exceed it by far, with it and with none."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from temporalio.client import Client

from spine_temporal import DurableAgent
from tests.bench import ours, talking
from tests.bench.processes import WorkerProcess, queue_of, worker_process
from tests.bench.prose import prose

_SESSION_CACHE_BYTES: Final = 16_000_000
_SESSIONS_CACHE_BYTES: Final = 64_000_000
_SAID_LETTERS: Final = 8_000
_ANSWER_LETTERS: Final = 24_000
# Said one behind the other, before the last one's Result is read: whoever reads it reads all of the conversation.
_TURNS_AT_ONCE: Final = 5
_OPEN_S: Final = 3600.0
_STEPS: Final = 4
_RESULT_BYTES: Final = 40_000
_SESSIONS_AT_ONCE: Final = 25
_WARM_UP: Final = 25

type Load = Callable[[Client, int], AsyncIterator[None]]
"""So many turns or sessions; gives after each few of them."""


@dataclass(frozen=True, slots=True)
class CacheMemory:
    """What a worker grew by, at most, under a load, with a cache and without."""

    sessions: int
    turns: int
    """Of each."""
    cache_bytes: int
    text_bytes: int
    """Of all conversations."""
    growth_bytes: int
    growth_without_bytes: int
    wall_s: float
    wall_without_s: float

    @property
    def what(self) -> str:
        """The load, for a table."""
        return f"{self.sessions:,} sessions" if self.sessions > 1 else f"one session of {self.turns:,} turns"

    @property
    def share(self) -> float:
        """What the cache took of its bytes."""
        return (self.growth_bytes - self.growth_without_bytes) / self.cache_bytes


async def one_session(client: Client, address: str, turns: int) -> CacheMemory:
    """A session of so many turns, each with some KB of text."""
    without_bytes, without_s = await _grown(client, address, _turns, turns, 0)
    grown_bytes, took_s = await _grown(client, address, _turns, turns, _SESSION_CACHE_BYTES)
    text_bytes = turns * (_SAID_LETTERS + _ANSWER_LETTERS)
    return CacheMemory(1, turns, _SESSION_CACHE_BYTES, text_bytes, grown_bytes, without_bytes, took_s, without_s)


async def many_sessions(client: Client, address: str, sessions: int) -> CacheMemory:
    """So many sessions, one after the other is over."""
    without_bytes, without_s = await _grown(client, address, _sessions, sessions, 0)
    grown_bytes, took_s = await _grown(client, address, _sessions, sessions, _SESSIONS_CACHE_BYTES)
    text_bytes = sessions * _STEPS * _RESULT_BYTES
    return CacheMemory(sessions, 1, _SESSIONS_CACHE_BYTES, text_bytes, grown_bytes, without_bytes, took_s, without_s)


async def _grown(client: Client, address: str, load: Load, many: int, cache_bytes: int) -> tuple[int, float]:
    async with worker_process("ours", address, cache_bytes=cache_bytes) as worker:
        await _exhausted(load(client, _WARM_UP), worker)
        before_bytes, began_s = worker.memory_bytes, time.perf_counter()
        most_bytes = await _exhausted(load(client, many), worker)
        took_s = time.perf_counter() - began_s
        await worker.stop()
    return most_bytes - before_bytes, took_s


async def _exhausted(load: AsyncIterator[None], worker: WorkerProcess) -> int:
    return max([worker.memory_bytes async for _ in load])


async def _turns(client: Client, turns: int) -> AsyncIterator[None]:
    durable = DurableAgent(talking.TALKER, client, task_queue=queue_of("ours"), session_ttl_s=_OPEN_S)
    session = f"chatty-{uuid.uuid4().hex[:8]}"
    for first in range(0, turns, _TURNS_AT_ONCE):
        for turn in range(first, min(turns, first + _TURNS_AT_ONCE)):
            run = await durable.start(f"{_ANSWER_LETTERS} {prose(_SAID_LETTERS, turn)}", session_id=session)
        result = await run.result()
        if not result.ok:
            raise RuntimeError(f"a turn ended with {result.stopped_reason} {result.error}")
        yield
    await client.get_workflow_handle(run.workflow_id).terminate()


async def _sessions(client: Client, sessions: int) -> AsyncIterator[None]:
    durable = DurableAgent(ours.NAME, client, task_queue=queue_of("ours"), session_ttl_s=0)
    for first in range(0, sessions, _SESSIONS_AT_ONCE):
        results = await asyncio.gather(
            *(
                durable.run(ours.question(_STEPS, _RESULT_BYTES), session_id=uuid.uuid4().hex)
                for _ in range(first, min(sessions, first + _SESSIONS_AT_ONCE))
            )
        )
        if not all(result.state.step == _STEPS + 1 for result in results):
            raise RuntimeError(f"a session ended with {[result.error for result in results]}")
        yield
