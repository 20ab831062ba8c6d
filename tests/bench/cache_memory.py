"""Whether `cache_bytes` bounds the memory of a worker: conversations that exceed it by far, with it and with none."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from spine_core import Result
from temporalio.client import Client

from spine_temporal import DurableAgent
from tests.bench import talking
from tests.bench.processes import queue_of, worker_process
from tests.bench.prose import prose

_SESSION_CACHE_BYTES: Final = 8_000_000
_SESSIONS_CACHE_BYTES: Final = 64_000_000
_SAID_LETTERS: Final = 8_000
_ANSWER_LETTERS: Final = 24_000
# Said one behind the other, before the last one's Result is read: whoever reads it reads all of the conversation.
_TURNS_AT_ONCE: Final = 5
_OPEN_S: Final = 3600.0
_TURNS: Final = 2
_SESSIONS_AT_ONCE: Final = 25

type Load = Callable[[Client, int], AsyncIterator[None]]
"""So many turns or sessions; gives after each few of them."""


@dataclass(frozen=True, slots=True)
class CacheMemory:
    """The most that a worker held under a load, with a cache and without."""

    sessions: int
    turns: int
    """Of each."""
    cache_bytes: int
    letters: int
    """Of all conversations."""
    most_bytes: int
    without_bytes: int
    wall_s: float
    wall_without_s: float

    @property
    def what(self) -> str:
        """The load, for a table."""
        return f"{self.sessions:,} sessions" if self.sessions > 1 else f"one session of {self.turns:,} turns"

    @property
    def share(self) -> float:
        """What the cache took of its bytes."""
        return (self.most_bytes - self.without_bytes) / self.cache_bytes


async def one_session(client: Client, address: str, turns: int) -> CacheMemory:
    """A session of so many turns, each with some KB of text."""
    return await _measured(client, address, _session, 1, turns, _SESSION_CACHE_BYTES)


async def many_sessions(client: Client, address: str, sessions: int) -> CacheMemory:
    """So many sessions, some at once."""
    return await _measured(client, address, _sessions, sessions, _TURNS, _SESSIONS_CACHE_BYTES)


async def _measured(
    client: Client, address: str, load: Load, sessions: int, turns: int, cache_bytes: int
) -> CacheMemory:
    many = sessions if sessions > 1 else turns
    without_bytes, without_s = await _most(client, address, load, many, 0)
    most_bytes, took_s = await _most(client, address, load, many, cache_bytes)
    return CacheMemory(
        sessions=sessions,
        turns=turns,
        cache_bytes=cache_bytes,
        letters=sessions * turns * (_SAID_LETTERS + _ANSWER_LETTERS),
        most_bytes=most_bytes,
        without_bytes=without_bytes,
        wall_s=took_s,
        wall_without_s=without_s,
    )


async def _most(client: Client, address: str, load: Load, many: int, cache_bytes: int) -> tuple[int, float]:
    async with worker_process("ours", address, cache_bytes=cache_bytes) as worker:
        began_s = time.perf_counter()
        most_bytes = max([worker.memory_bytes async for _ in load(client, many)])
        took_s = time.perf_counter() - began_s
        await worker.stop()
    return most_bytes, took_s


async def _session(client: Client, turns: int) -> AsyncIterator[None]:
    durable = DurableAgent(talking.TALKER, client, task_queue=queue_of("ours"), session_ttl_s=_OPEN_S)
    session = f"chatty-{uuid.uuid4().hex[:8]}"
    for first in range(0, turns, _TURNS_AT_ONCE):
        for turn in range(first, min(turns, first + _TURNS_AT_ONCE)):
            run = await durable.start(_said(turn), session_id=session)
        _check(await run.result())
        yield
    await client.get_workflow_handle(run.workflow_id).terminate()


async def _sessions(client: Client, sessions: int) -> AsyncIterator[None]:
    durable = DurableAgent(talking.TALKER, client, task_queue=queue_of("ours"), session_ttl_s=0)
    for first in range(0, sessions, _SESSIONS_AT_ONCE):
        last = min(sessions, first + _SESSIONS_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for session in range(first, last):
                group.create_task(_conversation(durable, session))
        yield


async def _conversation(durable: DurableAgent, number: int) -> None:
    session_id = f"chatty-{uuid.uuid4().hex}"
    for turn in range(_TURNS):
        _check(await durable.run(_said(number + turn), session_id=session_id))


def _said(number: int) -> str:
    return f"{_ANSWER_LETTERS} {prose(_SAID_LETTERS, number)}"


def _check(result: Result) -> None:
    if not result.ok:
        raise RuntimeError(f"a turn ended with {result.stopped_reason} {result.error}")
