"""A server that is killed and started again on its file has lost nothing, and nor have the runs."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio
from spine_core.errors import ResumeError

from spine_temporal import DurableAgent
from spine_temporal.errors import DecisionRefused, ServerUnreachable
from spine_temporal.testing import dev_server
from spine_temporal.testing.server import TestServer
from tests.faults.counting import assert_as_undisturbed
from tests.faults.effects import has_called
from tests.faults.figures import AS_ITS_TEST, PROPERTY, Fault
from tests.support.processes import Fleet
from tests.support.waiting import until

pytestmark = pytest.mark.durable

RUNS = 6
KILLS = 3


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[TestServer]:
    async with dev_server(database=tmp_path / "temporal.db") as server:
        yield server


@pytest.fixture
def fleet(server: TestServer, tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(server.address, f"server-{uuid.uuid4().hex}", tmp_path) as fleet:
        yield fleet


@pytest.mark.parametrize("point", ["model-0", "tool-1"])
async def test_a_run_ends_as_if_undisturbed_although_its_server_is_killed_in_its_midst(
    server: TestServer, fleet: Fleet, tmp_path: Path, point: str
) -> None:
    run = await DurableAgent("counter", server.client, task_queue=fleet.task_queue).start("count")
    fleet.effects.hold(point)
    fleet.start()
    waiting = asyncio.create_task(run.result())
    await until(lambda: fleet.effects.count(f"started {point}") == 1, f"the worker at {point}")

    await server.kill()
    fleet.effects.release(point)
    await until(lambda: fleet.effects.count(f"finished {point}") == 1, f"the end of {point}")
    await server.restart()

    await assert_as_undisturbed(server.client, run, await waiting, fleet.effects, tmp_path)
    assert fleet.effects.count(f"started {point}") <= 2


@pytest.mark.soak
async def test_many_runs_and_approvals_outlive_a_server_that_is_killed_again_and_again(
    server: TestServer, fleet: Fleet, record_property: Callable[[str, object], None]
) -> None:
    agent = DurableAgent("gated", server.client, task_queue=fleet.task_queue)
    fleet.start()
    random, paused = Random(7), [await agent.start("go") for _ in range(RUNS)]
    waiting = [asyncio.create_task(run.result()) for run in paused]
    # Half of them wait for a person when the first kill comes; the others are on their way there.
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    deciding = [asyncio.create_task(_decided(agent, run.id, task)) for run, task in zip(paused, waiting, strict=True)]
    for _ in range(KILLS):
        await until(has_called(fleet.effects, random.randint(0, RUNS), deciding), "calls that are made")
        record_property(PROPERTY, Fault("server killed", AS_ITS_TEST).as_text())
        await server.kill()
        await server.restart()

    answers = await asyncio.gather(*deciding)

    assert answers == ["did 0 | did 1 | did 2"] * RUNS
    keys = [line.split()[2] for line in fleet.effects.lines()]
    assert len(set(keys)) == RUNS * 3


async def _decided(agent: DurableAgent, id_: str, waiting: "asyncio.Task[object]") -> object:
    await waiting
    while (result := await agent.get_run(id_).result()).interrupted:
        await _patiently(agent, id_)
    return result.answer


async def _patiently(agent: DurableAgent, id_: str) -> None:
    """Decide; a person whose server is away asks again."""
    try:
        await agent.resume(id_, "yes")
    except (ServerUnreachable, ResumeError, DecisionRefused):
        return
