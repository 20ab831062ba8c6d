"""A run of thousands of steps, which continues as new on its way, held against the kernel's."""

import asyncio
import time
import uuid
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from spine_core import TraceEvent
from temporalio.client import Client

from spine_temporal import DurableAgent, Run
from tests.bench import job, ours
from tests.bench.processes import queue_of
from tests.bench.sides import Side
from tests.bench.weighing import histories_of

_SIZE = 400
_COMPARED_STEPS = 500


@dataclass(frozen=True, slots=True)
class Long:
    """What it took."""

    side: Side
    steps: int
    wall_s: float
    executions: int
    """How many executions of the workflow it took."""
    first_s: float
    """Of one of the first steps, by the server's clock: the mean of 500, or of a quarter of a shorter run."""
    last_s: float
    """Of one of as many last steps."""
    beside_s: float
    """Of one of as many first steps of another run, on the same worker at the same time as those last ones."""
    equal: bool
    """Answer, State and trace are those of the same run on the kernel."""

    @property
    def growth(self) -> float:
        """The last steps to first steps at the same time: minutes apart, a machine is not the same."""
        return self.last_s / self.beside_s


async def long_run(client: Client, side: Side, steps: int) -> Long:
    """Take so many steps durably, and on the kernel."""
    durable = DurableAgent(ours.NAME, client, task_queue=queue_of(side), session_ttl_s=0)
    session, compared = f"long-{uuid.uuid4().hex[:8]}", min(_COMPARED_STEPS, steps // 4)
    began_s = time.perf_counter()
    run = await durable.start(job.question(steps, _SIZE), session_id=session)
    await _until(run, steps - compared)
    beside = asyncio.create_task(durable.run(job.question(compared, _SIZE)))
    result = await run.result()
    wall_s = time.perf_counter() - began_s
    theirs = await ours.agent(hooked=False).run(job.question(steps, _SIZE), session_id=session)
    first_run_id = str((await client.get_workflow_handle(run.workflow_id).describe()).raw_info.first_run_id)
    told = [[(event.type, event.step, event.data) for event in each.trace] for each in (result, theirs)]
    first_s, last_s = _per_step_s(result.trace, compared)
    return Long(
        side=side,
        steps=steps,
        wall_s=wall_s,
        executions=len(await histories_of(client, run.workflow_id, first_run_id)),
        first_s=first_s,
        last_s=last_s,
        beside_s=_per_step_s((await beside).trace, compared)[0],
        equal=result.model_dump(exclude={"trace"}) == theirs.model_dump(exclude={"trace"}) and told[0] == told[1],
    )


async def _until(run: Run, step: int) -> None:
    async with aclosing(run.events()) as events:
        async for event in events:
            if event.step >= step:
                return


def _per_step_s(trace: Sequence[TraceEvent], compared: int) -> tuple[float, float]:
    began_s: dict[int, float] = {}
    for event in trace:
        began_s.setdefault(event.step, event.ts)
    first, last = [*began_s.values()][: compared + 1], [*began_s.values()][-compared - 1 :]
    return (first[-1] - first[0]) / compared, (last[-1] - last[0]) / compared
