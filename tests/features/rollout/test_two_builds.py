"""Two builds of a project side by side, as processes: rolled out, drained, rolled back."""

import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from spine_temporal import Run
from spine_temporal.cli.exit_codes import Exit
from spine_temporal.connection.settings import BUILD_ID, DEPLOYMENT_NAME
from tests.features.rollout.rollout import Rollout
from tests.rooms.cli.command import CommandLine, Running
from tests.support.waiting import until

pytestmark = pytest.mark.durable

ROOT = Path(__file__).parents[3]
AGENTS = """
from pathlib import Path
from tests.features.rollout.agents import clerk
agent = clerk({build!r}, Path({folder!r}))
"""


class Builds:
    """The workers of a deployment as processes, and the command to roll them out."""

    def __init__(self, rollout: Rollout, command: CommandLine, folder: Path) -> None:
        self._rollout, self._command, self._folder = rollout, command, folder

    async def start(self, build: str) -> Running:
        """Start the worker process of a build, from a project folder of its own."""
        worker = await self._command.start(
            "worker", "--project", str(self.project(build)), *self._command.queue, environment=self._of(build)
        )
        await worker.says(f"worker ready: agents clerk on task queue {self._rollout.task_queue!r}")
        return worker

    def project(self, build: str) -> Path:
        folder = self._folder / build
        (folder / "agents").mkdir(parents=True, exist_ok=True)
        module = AGENTS.format(build=build, folder=str(self._rollout.folder))
        (folder / "agents" / "clerk.py").write_text(module)
        return folder

    async def drain(self, build: str, *options: str) -> tuple[int, dict[str, object]]:
        done = await self._command("drain", "--build", build, *options, "--json", environment=self._of(build))
        assert done.out, done.err
        return done.code, json.loads(done.out)

    async def gate(self, build: str) -> int:
        arguments = ("gate", "--project", str(self.project(build)), *self._command.queue)
        return (await self._command(*arguments, environment=self._of(build))).code

    def _of(self, build: str) -> dict[str, str]:
        return {DEPLOYMENT_NAME: self._rollout.name, BUILD_ID: build, "PYTHONPATH": str(ROOT)}


@pytest_asyncio.fixture
async def builds(rollout: Rollout, tmp_path: Path) -> AsyncIterator[Builds]:
    address = rollout.client.service_client.config.target_host
    async with CommandLine(address, rollout.task_queue) as command:
        yield Builds(rollout, command, tmp_path / "projects")


async def answers(runs: list[Run]) -> set[str | None]:
    return {(await run.result()).answer for run in runs}


async def test_rollout_drain_and_rollback_lose_no_run_and_double_no_effect(rollout: Rollout, builds: Builds) -> None:
    await builds.start("v1")
    await rollout.make_current("v1")
    paused = [await rollout.paused(await rollout.start("pay", f"paused{number}")) for number in range(6)]
    idle = await rollout.start("hello", "idle")
    assert (await idle.result()).answer == "v1: hello"
    rollout.effects.hold("look-1")
    pinned = await rollout.start("look 2", "pinned", session_ttl_s=0)
    await until(lambda: rollout.effects.count("started look-1"), "a tool at work on v1")

    await builds.start("v2")
    assert await builds.gate("v2") == Exit.DONE
    await rollout.make_current("v2")
    assert (await (await rollout.start("new", "new")).result()).answer == "v2: new"
    rollout.effects.release("look-1")
    assert (await pinned.result()).answer == "v1: saw 1, saw 2"

    code, drained = await builds.drain("v1")
    assert (code, drained["moved"], drained["moves_to"], drained["remaining"]) == (Exit.DONE, 7, "v2", [])
    await rollout.until_drained("v1")
    for run in paused[:3]:
        await run.decide("approve")
    assert await answers(paused[:3]) == {"v2: paid 1"}
    assert (await (await rollout.start("again", "idle")).result()).answer == "v2: again"

    await rollout.make_current("v1")
    code, _ = await builds.drain("v2")
    assert code == Exit.DONE
    for run in paused[3:]:
        await run.decide("approve")
    assert await answers(paused[3:]) == {"v1: paid 1"}
    assert (await (await rollout.start("back", "idle")).result()).answer == "v1: back"

    assert rollout.effects.count("paid 1") == 6
    assert [rollout.effects.count(f"started look-{number}") for number in (1, 2)] == [1, 1]
    query = f"TaskQueue = '{rollout.task_queue}' AND ExecutionStatus IN ('Failed', 'Terminated', 'TimedOut')"
    assert [found.id async for found in rollout.client.list_workflows(query)] == []


async def test_a_run_whose_worker_died_within_a_tool_goes_on_where_it_is_handed_over(
    rollout: Rollout, builds: Builds
) -> None:
    worker = await builds.start("v1")
    await rollout.make_current("v1")
    rollout.effects.hold("look-1")
    run = await rollout.start("look 1", "orphan")
    await until(lambda: rollout.effects.count("started look-1"), "a tool at work on v1")
    await worker.ended(signal.SIGKILL)
    await builds.start("v2")
    await rollout.make_current("v2")
    rollout.effects.release("look-1")

    code, drained = await builds.drain("v1", "--replay", "--wait", "60")

    assert (await run.result()).answer == "v2: saw 1"
    assert (code, drained["remaining"]) == (Exit.DONE, [])
    assert (rollout.effects.count("started look-1"), rollout.effects.count("finished look-1")) == (2, 1)
