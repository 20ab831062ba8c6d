"""A run outlives its worker."""

import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from spine_core import Result
from temporalio.client import Client

from spine_temporal import DurableAgent
from spine_temporal.contracts import names
from tests.faults.agents import ROUNDS, Effects, counting_agent
from tests.support.harness import activities_in, assert_same, history_of, replay
from tests.support.processes import Fleet
from tests.support.soak import in_soak
from tests.support.waiting import until

pytestmark = pytest.mark.durable

SIGTERMS = 4


@pytest.fixture
def fleet(client: Client, tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(client.service_client.config.target_host, f"faults-{uuid.uuid4().hex}", tmp_path) as fleet:
        yield fleet


async def undisturbed(tmp_path: Path) -> Result:
    folder = tmp_path / "undisturbed"
    folder.mkdir()
    return await counting_agent(folder).run("count")


def assert_nothing_finished_ran_again(effects: Effects, *, interrupted: str | None) -> None:
    for n in range(ROUNDS + 1):
        for point in [f"model-{n}"] + ([f"tool-{n}"] if n < ROUNDS else []):
            assert effects.count(f"finished {point}") == 1
            assert effects.count(f"started {point}") == (2 if point == interrupted else 1)


@pytest.mark.parametrize("point", ["model-0", in_soak("model-2"), "tool-1"])
async def test_a_run_killed_inside_a_step_or_a_tool_ends_as_if_undisturbed(
    client: Client, fleet: Fleet, tmp_path: Path, point: str
) -> None:
    run = await DurableAgent("counter", client, task_queue=fleet.task_queue).start("count")
    await fleet.kill_at(point)
    fleet.start()

    result = await run.result()

    assert_same(result, await undisturbed(tmp_path))
    assert_nothing_finished_ran_again(fleet.effects, interrupted=point)
    keys = [line for line in fleet.effects.lines() if line.startswith("key ")]
    assert len(set(keys)) == ROUNDS, "another attempt of a call has another idempotency key"
    assert len({key.split()[-1] for key in keys}) == ROUNDS, "two calls have one idempotency key"
    await replay(await history_of(client, run))


async def test_a_run_killed_between_two_steps_ends_as_if_undisturbed(
    client: Client, fleet: Fleet, tmp_path: Path
) -> None:
    run = await DurableAgent("counter", client, task_queue=fleet.task_queue).start("count")
    first = fleet.start()
    async for event in run.events():
        if event.type == "tool_result":
            first.send_signal(signal.SIGKILL)
            break
    first.wait()
    fleet.start()

    result = await run.result()

    assert_same(result, await undisturbed(tmp_path))
    assert [fleet.effects.count(f"finished tool-{n}") for n in range(ROUNDS)] == [1] * ROUNDS


async def test_workers_told_to_stop_hand_the_step_over_each_and_exit_cleanly(
    client: Client, fleet: Fleet, tmp_path: Path
) -> None:
    run = await DurableAgent("counter", client, task_queue=fleet.task_queue).start("count")
    fleet.effects.hold("model-1")
    exit_codes = []
    for n in range(SIGTERMS):
        worker = fleet.start()
        await until(lambda n=n: fleet.effects.count("started model-1") == n + 1, f"worker {n} at the step")  # type: ignore[misc]
        worker.send_signal(signal.SIGTERM)
        exit_codes.append(worker.wait(timeout=30))
    fleet.effects.release("model-1")
    fleet.start()

    result = await run.result()

    assert exit_codes == [0] * SIGTERMS
    assert_same(result, await undisturbed(tmp_path))
    history = await history_of(client, run)
    assert activities_in(history) == [names.STEP_ACTIVITY, names.TOOL_ACTIVITY] * ROUNDS + [names.STEP_ACTIVITY]
