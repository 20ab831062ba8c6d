"""One run of the job, measured from outside."""

import asyncio
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass

import psutil
from temporalio.client import Client
from temporalio.service import RPCError

from spine_temporal import DurableAgent
from tests.bench import job, ours
from tests.bench.processes import WorkerProcess, cpu_s, workflow_of
from tests.bench.sides import AGENTS, Peer, Side
from tests.bench.weighing import Weight, histories_of, weigh


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run took."""

    side: Side | Peer
    steps: int
    size: int
    """Bytes of a tool's result."""
    repeat: int
    wall_s: float
    worker_cpu_s: float
    server_cpu_s: float
    client_cpu_s: float
    weight: Weight
    workflow_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Bench:
    """Where runs are measured."""

    client: Client
    server_pid: int
    size: int

    async def measure(self, worker: WorkerProcess, *, steps: int, repeat: int) -> Measured:
        """Do the job once on that side's worker, through the interface that its users have."""
        server, own = psutil.Process(self.server_pid), psutil.Process()
        name = f"{worker.side}-{steps}-{uuid.uuid4().hex[:8]}"
        before = worker.cpu_s, cpu_s(server), own.cpu_times()
        began_s = time.perf_counter()
        workflow_id = await self._do(worker, name, steps)
        wall_s = time.perf_counter() - began_s
        after = worker.cpu_s, cpu_s(server), own.cpu_times()
        run_id = str((await self.client.get_workflow_handle(workflow_id).describe()).raw_info.first_run_id)
        return Measured(
            side=worker.side,
            steps=steps,
            size=self.size,
            repeat=repeat,
            wall_s=wall_s,
            worker_cpu_s=after[0] - before[0],
            server_cpu_s=after[1] - before[1],
            client_cpu_s=after[2].user + after[2].system - before[2].user - before[2].system,
            weight=weigh(await histories_of(self.client, workflow_id, run_id)),
            workflow_id=workflow_id,
            run_id=run_id,
        )

    async def _do(self, worker: WorkerProcess, name: str, steps: int) -> str:
        if worker.side in AGENTS:
            return await self._ours(worker, name, steps)
        handle = await self.client.start_workflow(
            workflow_of(worker.side), args=[steps, self.size], id=name, task_queue=worker.task_queue
        )
        try:
            answer = await handle.result()
        except asyncio.CancelledError:
            # Nobody waits for it any more, and it would go on beside the runs after it.
            with suppress(RPCError):
                await handle.terminate("the benchmark goes on without it")
            raise
        if answer != job.MESSAGE:
            raise RuntimeError(f"a run of {worker.side} ended with {answer!r}")
        return name

    async def _ours(self, worker: WorkerProcess, name: str, steps: int) -> str:
        durable = DurableAgent(ours.NAME, self.client, task_queue=worker.task_queue, session_ttl_s=0)
        result = await durable.run(job.question(steps, self.size), session_id=name)
        if result.state.step != steps + 1:
            raise RuntimeError(f"the run stopped at step {result.state.step}: {result.stopped_reason} {result.error}")
        return durable.get_run(name).workflow_id
