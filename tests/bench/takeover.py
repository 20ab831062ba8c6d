"""A worker that starts in the middle of a run it has never seen."""

import uuid

from temporalio.client import Client

from spine_temporal import DurableAgent, Run
from tests.bench import job, ours
from tests.bench.processes import queue_of, worker_process


async def take_over(client: Client, address: str, *, steps: int, size: int) -> dict[str, int]:
    """What the cache of the second worker counted, when the first one left halfway through the run."""
    durable = DurableAgent(ours.NAME, client, task_queue=queue_of("ours"), session_ttl_s=0)
    async with worker_process("ours", address) as first:
        run = await durable.start(job.question(steps, size), session_id=f"takeover-{uuid.uuid4().hex[:8]}")
        await _reaches(run, steps // 2)
        await first.stop()
    async with worker_process("ours", address) as second:
        result = await run.result()
        if result.state.step != steps + 1:
            raise RuntimeError(f"the run stopped at step {result.state.step}: {result.stopped_reason} {result.error}")
        return await second.stop()


async def _reaches(run: Run, step: int) -> None:
    async for event in run.events():
        if event.step >= step:
            return
