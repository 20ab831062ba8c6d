"""Workers that race for the same runs, with hardly a cache, and come and go, change nothing of what comes of them."""

import asyncio
import signal
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from temporalio.client import Client

from spine_temporal import DurableAgent
from tests.faults.effects import doubled_effects, has_called
from tests.faults.figures import AS_ITS_TEST, PROPERTY, Fault
from tests.storm.checks import check_histories
from tests.support.processes import Fleet
from tests.support.waiting import until

pytestmark = pytest.mark.durable

RUNS = 6
ANSWERS = {
    "single": "did 0 | did 1",
    "parallel": "did 0 | did 1 | did 2 | did 3",
    "delegating": "did 8 | did 9",
}


@pytest.mark.soak
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM], ids=lambda end: end.name)
async def test_runs_end_right_while_two_workers_race_for_them_and_are_replaced(
    client: Client, tmp_path: Path, end: signal.Signals, record_property: Callable[[str, object], None]
) -> None:
    target, queue = client.service_client.config.target_host, f"racing-{uuid.uuid4().hex}"
    options = {"max_cached_workflows": 1, "cache_bytes": 10_000}
    with Fleet(target, queue, tmp_path, **options) as fleet:
        workers = [fleet.start(), fleet.start()]
        kinds = [kind for kind in ANSWERS for _ in range(RUNS // len(ANSWERS))]
        runs = [await DurableAgent(kind, client, task_queue=queue).start("go") for kind in kinds]
        ending = [asyncio.create_task(run.result()) for run in runs]
        for _ in range(3):
            await until(has_called(fleet.effects, 2, ending), "calls that are made")
            workers.append(fleet.start())
            oldest = workers.pop(0)
            record_property(PROPERTY, Fault("worker replaced under load", AS_ITS_TEST).as_text())
            oldest.send_signal(end)
            oldest.wait()
        results = await asyncio.gather(*ending)

        assert [result.answer for result in results] == [ANSWERS[kind] for kind in kinds]
        assert doubled_effects(fleet.effects.lines()) == ""
        for run in runs:
            await check_histories(client, run.workflow_id)
