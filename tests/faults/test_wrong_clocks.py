"""A worker whose clock is off by hours or days serves runs like any other.

The clock is shifted by libfaketime, loaded into a real worker process. Its monotonic clock is left alone, as it is on a
machine whose date is wrong.
"""

import platform
import sys
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from importlib.metadata import distribution
from pathlib import Path

import pytest
from spine_core import Result, StopReason
from temporalio.client import Client

from spine_temporal import DurableAgent
from tests.faults.figures import AS_ITS_TEST, PROPERTY, Fault
from tests.support.harness import assert_same, history_of, replay
from tests.support.processes import Fleet
from tests.support.soak import IS_SOAK

pytestmark = pytest.mark.durable

if (sys.platform, platform.machine()) != ("linux", "x86_64"):
    pytest.skip("libfaketime is for Linux on x86-64", allow_module_level=True)

# Where it can be had the environment has it: missing, it is an error.
LIBRARY = distribution("libfaketime").locate_file("libfaketime/vendor/libfaketime/src/libfaketime.so.1")
# Far less than the clocks are off, far more than a run takes.
AN_HOUR_S = timedelta(hours=1).total_seconds()


def shifted(by: str) -> dict[str, str]:
    return {"LD_PRELOAD": str(LIBRARY), "FAKETIME": by, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}


def assert_times_are_the_servers(result: Result) -> None:
    times_s = [event.ts for event in result.trace]
    assert times_s == sorted(times_s)
    assert all(abs(each_s - time.time()) < AN_HOUR_S for each_s in times_s)


@pytest.mark.parametrize("by", ["+5h", "-5h", "+40d", "-40d"] if IS_SOAK else ["+40d"])
async def test_a_worker_with_a_wrong_clock_gives_the_same_result_in_the_same_time(
    client: Client, tmp_path: Path, by: str, record_property: Callable[[str, object], None]
) -> None:
    record_property(PROPERTY, Fault("clock off", AS_ITS_TEST).as_text())
    target, queue = client.service_client.config.target_host, f"clock-{uuid.uuid4().hex}"
    with Fleet(target, queue, tmp_path) as fleet:
        fleet.start(environment=shifted(by))
        agent = DurableAgent("timed", client, task_queue=queue)
        run = await agent.start("go")
        result = await run.result()
        assert (tmp_path / "clock").exists()
        assert abs(float((tmp_path / "clock").read_text()) - time.time()) > AN_HOUR_S, "its clock is right"

    assert result.stopped_reason is StopReason.FINAL
    assert result.answer == "did 0 | did 1"
    assert_times_are_the_servers(result)
    await replay(await history_of(client, run))


@pytest.mark.soak
async def test_a_run_that_goes_from_one_wrong_clock_to_another_loses_and_gains_no_time(
    client: Client, tmp_path: Path
) -> None:
    target, queue = client.service_client.config.target_host, f"clock-{uuid.uuid4().hex}"
    with Fleet(target, queue, tmp_path) as fleet:
        agent = DurableAgent("timed", client, task_queue=queue, approval_timeout_s=AN_HOUR_S)
        asking = DurableAgent("gated", client, task_queue=queue, approval_timeout_s=AN_HOUR_S)
        ahead = fleet.start(environment=shifted("+40d"))
        first, asked = await agent.run("go"), await asking.run("go")
        assert asked.interrupted
        ahead.kill()
        ahead.wait()
        fleet.start(environment=shifted("-40d"))
        second = await agent.run("go")
        while asked.interrupted:
            asked = await asking.resume(str(asked.resume_token), "yes")

    assert_same(second, first)
    assert asked.answer == "did 0 | did 1 | did 2"
    for result in (first, second, asked):
        assert result.stopped_reason is StopReason.FINAL
        assert_times_are_the_servers(result)
