"""Many short runs at once, each with a caller who waits for it."""

import asyncio
import statistics
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import psutil
from temporalio.client import Client
from temporalio.service import RPCError

from spine_temporal import DurableAgent
from tests.bench import job, ours
from tests.bench.processes import WorkerProcess, cpu_s, queue_of, workflow_of
from tests.bench.requests import ServerRequests
from tests.bench.sides import AGENTS, Peer, Side

RESULT_BYTES: Final = 200
_READING: Final = ("GetWorkflowExecutionHistory", "PollWorkflowExecutionHistory", "DescribeWorkflowExecution")

type Job = Callable[[str], Awaitable[float]]
"""Does one run of that workflow id; returns when its caller knew the end, in Unix time."""


@dataclass(frozen=True, slots=True)
class SideBySide:
    """What they took together."""

    side: Side | Peer
    runs: int
    steps: int
    size: int
    wall_s: float
    worker_cpu_s: float
    server_cpu_s: float
    client_cpu_s: float
    requests: dict[str, int]
    """Of all of them, by operation, those of the worker included."""
    lag_s: float
    """From the event that closed a run until its caller had the result; the median."""

    @property
    def reading_per_run(self) -> float:
        """Requests for history and status, per run."""
        return sum(self.requests.get(each, 0) for each in _READING) / self.runs


async def side_by_side(client: Client, server_pid: int, worker: WorkerProcess, *, runs: int, steps: int) -> SideBySide:
    """Start so many runs of so many steps, wait for all."""
    requests, server, own = ServerRequests(server_pid), psutil.Process(server_pid), psutil.Process()
    ids = [f"beside-{worker.side}-{uuid.uuid4().hex[:12]}" for _ in range(runs)]
    does = _ours(client, steps, worker.side) if worker.side in AGENTS else _workflow(client, steps, worker.side)
    before = await requests.settled()
    cpu_before_s = worker.cpu_s, cpu_s(server), sum(own.cpu_times()[:2])
    began_s = time.perf_counter()
    try:
        known_s = await asyncio.gather(*(does(id_) for id_ in ids))
    except BaseException:
        await _terminate(client, ids)
        raise
    wall_s = time.perf_counter() - began_s
    cpu_after_s = worker.cpu_s, cpu_s(server), sum(own.cpu_times()[:2])
    counted = await requests.settled()
    counted.subtract(before)
    spent_s = [after - before for after, before in zip(cpu_after_s, cpu_before_s, strict=True)]
    closed_s = [await _closed_s(client, id_) for id_ in ids]
    return SideBySide(
        side=worker.side,
        runs=runs,
        steps=steps,
        size=RESULT_BYTES,
        wall_s=wall_s,
        worker_cpu_s=spent_s[0],
        server_cpu_s=spent_s[1],
        client_cpu_s=spent_s[2],
        requests=dict(+Counter(counted)),
        lag_s=statistics.median(known - closed for known, closed in zip(known_s, closed_s, strict=True)),
    )


def _workflow(client: Client, steps: int, side: Side | Peer) -> Job:
    async def run(id_: str) -> float:
        args = [steps, RESULT_BYTES]
        answer = await client.execute_workflow(workflow_of(side), args=args, id=id_, task_queue=queue_of(side))
        known_s = time.time()
        if answer != job.MESSAGE:
            raise RuntimeError(f"a run of {side} ended with {answer!r}")
        return known_s

    return run


def _ours(client: Client, steps: int, side: Side | Peer) -> Job:
    durable = DurableAgent(ours.NAME, client, task_queue=queue_of(side), session_ttl_s=0, workflow_id_prefix="")

    async def run(id_: str) -> float:
        result = await durable.run(job.question(steps, RESULT_BYTES), session_id=id_)
        known_s = time.time()
        if result.state.step != steps + 1:
            raise RuntimeError(f"the run stopped at step {result.state.step}: {result.stopped_reason} {result.error}")
        return known_s

    return run


async def _terminate(client: Client, ids: list[str]) -> None:
    """End those that have not ended: they would go on beside the runs after them."""
    for id_ in ids:
        # It has ended, or was not started.
        with suppress(RPCError):
            await client.get_workflow_handle(id_).terminate("the benchmark goes on without it")


async def _closed_s(client: Client, workflow_id: str) -> float:
    described = await client.get_workflow_handle(workflow_id).describe()
    assert described.close_time is not None
    return described.close_time.timestamp()
