"""A run of thousands of steps, which continues as new on its way, held against the kernel's."""

import time
import uuid
from dataclasses import dataclass

from temporalio.client import Client

from spine_temporal import DurableAgent
from tests.bench import ours
from tests.bench.processes import queue_of
from tests.bench.weighing import histories_of

_SIZE = 400


@dataclass(frozen=True, slots=True)
class Long:
    """What it took."""

    steps: int
    wall_s: float
    executions: int
    """How many executions of the workflow it took."""
    equal: bool
    """Answer, State and trace are those of the same run on the kernel."""


async def long_run(client: Client, steps: int) -> Long:
    """Take so many steps durably, and on the kernel."""
    durable = DurableAgent(ours.NAME, client, task_queue=queue_of("ours"), session_ttl_s=0)
    session = f"long-{uuid.uuid4().hex[:8]}"
    began_s = time.perf_counter()
    result = await durable.run(ours.question(steps, _SIZE), session_id=session)
    wall_s = time.perf_counter() - began_s
    theirs = await ours.agent(hooked=False).run(ours.question(steps, _SIZE), session_id=session)
    workflow_id = durable.get_run(session).workflow_id
    first_run_id = str((await client.get_workflow_handle(workflow_id).describe()).raw_info.first_run_id)
    told = [[(event.type, event.step, event.data) for event in each.trace] for each in (result, theirs)]
    return Long(
        steps=steps,
        wall_s=wall_s,
        executions=len(await histories_of(client, workflow_id, first_run_id)),
        equal=result.model_dump(exclude={"trace"}) == theirs.model_dump(exclude={"trace"}) and told[0] == told[1],
    )
