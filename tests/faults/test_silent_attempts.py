"""An attempt that was silent uses up none of those that are there for failures."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from spine_temporal import ActivityPolicy, DurableAgent
from tests.support.processes import Fleet

pytestmark = pytest.mark.durable

TWICE = ActivityPolicy(attempts=2, heartbeat_s=1.0, retry_first_s=0.1)


@pytest.fixture
def fleet(client: Client, tmp_path: Path) -> Iterator[Fleet]:
    address, queue = client.service_client.config.target_host, f"silent-{uuid.uuid4().hex}"
    with Fleet(address, queue, tmp_path, step_policy=TWICE) as fleet:
        yield fleet


async def test_a_failure_and_a_lost_worker_leave_one_more_attempt(client: Client, fleet: Fleet) -> None:
    run = await DurableAgent("moody", client, task_queue=fleet.task_queue).start("how are you?")

    await fleet.kill_at("in a good mood")
    fleet.start()

    assert (await run.result()).answer == "well"
    assert fleet.effects.count("in a bad mood") == 1
    assert fleet.effects.count("started in a good mood") == 2


async def test_workers_that_are_lost_again_and_again_are_named(client: Client, fleet: Fleet) -> None:
    run = await DurableAgent("moody", client, task_queue=fleet.task_queue).start("how are you?")

    async def has_beaten() -> bool:
        described = await client.get_workflow_handle(run.workflow_id).describe()
        (pending,) = described.raw_description.pending_activities
        return pending.last_heartbeat_time.ToNanoseconds() >= pending.last_started_time.ToNanoseconds()

    for _ in range(2):
        # What is known of earlier attempts is with the server by then.
        await fleet.kill_at("in a good mood", when=has_beaten)
    fleet.start()

    error = str((await run.result()).error)
    assert "given up after 3 attempts: " in error
    assert "in a bad mood" in error
    assert "no heartbeat for 1 s: the worker was lost, " in error
    assert "(2 times)" in error
