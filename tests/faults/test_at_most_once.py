"""A tool that must not be done twice is begun once, and the model reads that nobody knows whether it was done."""

import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from spine_core import StopReason
from temporalio.client import Client

from spine_temporal import DurableAgent
from tests.support.processes import Fleet
from tests.support.waiting import until

pytestmark = pytest.mark.durable


@pytest.fixture
def fleet(client: Client, tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(client.service_client.config.target_host, f"once-{uuid.uuid4().hex}", tmp_path) as fleet:
        yield fleet


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
async def test_a_call_whose_worker_goes_in_the_midst_of_it_is_not_begun_again(
    client: Client, fleet: Fleet, end: signal.Signals
) -> None:
    run = await DurableAgent("pays_once", client, task_queue=fleet.task_queue).start("pay")
    fleet.effects.hold("pay")
    worker = fleet.start()
    await until(lambda: fleet.effects.count("started pay") == 1, "the tool at work")

    worker.send_signal(end)
    worker.wait()
    fleet.effects.release("pay")
    fleet.start()
    result = await run.result()

    assert result.stopped_reason is StopReason.FINAL
    assert "nobody knows whether it was done" in str(result.answer)
    assert fleet.effects.count("started pay") == 1


async def test_a_call_that_is_not_disturbed_gives_its_result(client: Client, fleet: Fleet) -> None:
    fleet.start()

    assert (await DurableAgent("pays_once", client, task_queue=fleet.task_queue).run("pay")).answer == "paid 5"
