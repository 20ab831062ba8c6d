"""Many sessions that wait for an approval on one worker."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from spine_core import Agent, Message, ModelResponse, ToolCall, tool
from temporalio.client import Client

from spine_temporal import DurableAgent
from tests.bench.processes import WorkerProcess, queue_of

NAME: Final = "approver"
_AT_ONCE: Final = 50
_IDLE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Waited:
    """What it took; CPU is the worker's."""

    sessions: int
    paused_s: float
    """From the first start until the last one waited."""
    memory_bytes: int
    """The worker's, while they wait; before, it held `memory_before_bytes`."""
    memory_before_bytes: int
    idle_cpu_s_per_minute: float
    finished_s: float
    """From the first decision until the last session had its answer."""


class _Asking:
    """A model that asks for the tool once."""

    async def complete(self, messages: list[Message], tools: object = None, **_: object) -> ModelResponse:
        if messages[-1].role == "tool":
            return ModelResponse(message=Message.assistant(messages[-1].content))
        call = ToolCall(id="call_0", name="pay", arguments={"amount": 7})
        return ModelResponse(message=Message.assistant(None, [call]))


@tool(approve=True)
async def pay(amount: int) -> str:
    """Pay."""
    return f"paid {amount}"


def agent() -> Agent:
    """The agent that asks."""
    return Agent(_Asking(), tools=[pay], name=NAME)


async def waiting_sessions(client: Client, worker: WorkerProcess, sessions: int) -> Waited:
    """Let so many sessions wait, look at the worker for a while, approve all, wait for their ends.

    Raises:
        RuntimeError: one of them did not pause, or ended with another answer.
    """
    durable = DurableAgent(NAME, client, task_queue=queue_of("ours"), session_ttl_s=0)
    ids = [uuid.uuid4().hex for _ in range(sessions)]
    memory_before_bytes = worker.memory_bytes
    began_s = time.perf_counter()

    async def begin(id_: str) -> None:
        result = await durable.run("pay", session_id=id_)
        if not result.interrupted:
            raise RuntimeError(f"a session did not pause: {result.stopped_reason} {result.error}")

    async def finish(id_: str) -> None:
        result = await durable.resume(id_, "approve")
        if result.answer != "paid 7":
            raise RuntimeError(f"a session ended with {result.answer!r}: {result.error}")

    await _all(begin, ids)
    paused_s = time.perf_counter() - began_s
    cpu_s = worker.cpu_s
    await asyncio.sleep(_IDLE_S)
    idle_cpu_s, memory_bytes = worker.cpu_s - cpu_s, worker.memory_bytes
    began_s = time.perf_counter()
    await _all(finish, ids)
    return Waited(
        sessions=sessions,
        paused_s=paused_s,
        memory_bytes=memory_bytes,
        memory_before_bytes=memory_before_bytes,
        idle_cpu_s_per_minute=idle_cpu_s * 60 / _IDLE_S,
        finished_s=time.perf_counter() - began_s,
    )


async def _all(work: Callable[[str], Awaitable[None]], ids: list[str]) -> None:
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(id_: str) -> None:
        async with room:
            await work(id_)

    async with asyncio.TaskGroup() as group:
        for id_ in ids:
            group.create_task(one(id_))
