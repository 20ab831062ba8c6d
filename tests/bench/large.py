"""A conversation of many megabytes whose session was closed, reopened and stepped on."""

import time
import uuid
from dataclasses import dataclass
from typing import Final

from temporalio.client import Client

from spine_temporal import DurableAgent
from tests.bench import talking
from tests.bench.processes import queue_of, worker_process

_PIECES_PER_TURN: Final = 5
_OPEN_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Large:
    """Seconds are from what the user says until its answer; the worker holds nothing else."""

    text_bytes: int
    built_s: float
    built_peak_bytes: int
    """Of the worker on which the conversation came about, turn by turn."""
    warm_s: float
    """Reopened on that worker."""
    cold_s: float
    """Reopened on a new one."""
    peak_bytes: int
    """The new one's, until then; before, it had `before_bytes`."""
    before_bytes: int
    open_s: float
    """The turn after it, the session being open."""


async def large_conversation(client: Client, address: str, *, pieces: int) -> Large:
    """Build a conversation of so many pieces, go on with it on the worker that has it, and on another."""
    queue, session = queue_of("ours"), f"large-{uuid.uuid4().hex[:8]}"
    closing = DurableAgent(talking.READER, client, task_queue=queue, session_ttl_s=0)
    staying = DurableAgent(talking.READER, client, task_queue=queue, session_ttl_s=_OPEN_S)
    async with worker_process("ours", address) as first:
        began_s = time.perf_counter()
        for done in range(0, pieces, _PIECES_PER_TURN):
            await _turn(closing, session, min(_PIECES_PER_TURN, pieces - done))
        built_s = time.perf_counter() - began_s
        warm_s = await _turn(closing, session, 0)
        built_peak_bytes = first.peak_bytes
        await first.stop()
    async with worker_process("ours", address) as second:
        before_bytes = second.memory_bytes
        cold_s = await _turn(staying, session, 0)
        peak_bytes = second.peak_bytes
        open_s = await _turn(staying, session, 0)
        await client.get_workflow_handle(staying.get_run(session).workflow_id).terminate()
        await second.stop()
    return Large(
        text_bytes=pieces * talking.PIECE_LETTERS,
        built_s=built_s,
        built_peak_bytes=built_peak_bytes,
        warm_s=warm_s,
        cold_s=cold_s,
        peak_bytes=peak_bytes,
        before_bytes=before_bytes,
        open_s=open_s,
    )


async def _turn(durable: DurableAgent, session: str, pieces: int) -> float:
    began_s = time.perf_counter()
    result = await durable.run(str(pieces), session_id=session)
    if result.answer != f"read {pieces}":
        raise RuntimeError(f"a turn ended with {result.answer!r}: {result.stopped_reason} {result.error}")
    return time.perf_counter() - began_s
