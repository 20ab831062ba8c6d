"""The scale signal of one version: two builds side by side, each with its own work."""

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client

from spine_temporal import DurableAgent
from spine_temporal.connection.settings import BUILD_ID, DEPLOYMENT_NAME
from tests.deploy.worker_process import WorkerProcess, write_agents
from tests.rooms.cli.command import CommandLine
from tests.support.deployments import make_current
from tests.support.waiting import until

pytestmark = pytest.mark.durable

AGENTS = """\
import asyncio
from pathlib import Path
from spine_core import Agent, tool
from spine_core.testing import ScriptedProvider, calls, text

@tool
async def wait() -> str:
    "Wait."
    while not (Path(__file__).parent.parent / "go on").exists():
        await asyncio.sleep(0.02)
    return "waited"

waiter = Agent(ScriptedProvider(calls(("wait", {})), text("done")), tools=[wait], name="waiter")
"""


class Builds:
    """Worker processes of two builds on one task queue; the signal is asked of either."""

    def __init__(self, client: Client, folder: Path) -> None:
        self.client, self.name = client, f"builds-{uuid.uuid4().hex}"
        self.project = write_agents(folder / "project", AGENTS)
        self.workers: dict[str, WorkerProcess] = {}

    async def work(self, build: str) -> None:
        """Start a worker of that build, and make its version the current one."""
        settings = {
            "SPINE_TEMPORAL_PROJECT": str(self.project),
            "SPINE_TEMPORAL_TASK_QUEUE": self.name,
            "TEMPORAL_ADDRESS": self.client.service_client.config.target_host,
            DEPLOYMENT_NAME: self.name,
            BUILD_ID: build,
        }
        self.workers[build] = await WorkerProcess.start("agent_worker.py", settings)
        await self.workers[build].answers("/readyz", 200)
        await make_current(self.client, self.name, build)

    async def becomes(self, by: str, query: str, *, backlog: int, in_hand: int) -> None:
        """Wait until the worker of build `by` answers that."""
        wanted = {"value": backlog + in_hand, "backlog": backlog, "in_hand": in_hand}

        async def is_so() -> bool:
            return await self.workers[by].get(f"/scale/{self.name}{query}") == (200, wanted)

        await until(is_so, f"{wanted} of {query or 'all versions'}")

    async def start(self) -> None:
        """A run whose tool waits."""
        await DurableAgent("waiter", self.client, task_queue=self.name, session_ttl_s=0).start("go")

    def let_go(self) -> None:
        """Tools need not wait any more."""
        (self.project / "go on").touch()


@pytest_asyncio.fixture
async def builds(client: Client, tmp_path: Path) -> AsyncIterator[Builds]:
    builds = Builds(client, tmp_path)
    yield builds
    builds.let_go()
    for worker in builds.workers.values():
        await worker.kill()


async def test_work_of_a_build_is_that_of_no_other(builds: Builds) -> None:
    await builds.work("v1")
    await builds.start()
    await builds.becomes("v1", "", backlog=0, in_hand=1)
    await builds.work("v2")

    # Whichever is asked: a former version may have no worker left to ask.
    for asked in ("v1", "v2"):
        await builds.becomes(asked, "?build=v1", backlog=0, in_hand=1)
        await builds.becomes(asked, "?build=v2", backlog=0, in_hand=0)
        await builds.becomes(asked, "", backlog=0, in_hand=1)

    # What is new waits for the current version, which has nobody now.
    await builds.workers["v2"].kill()
    await builds.start()
    await builds.becomes("v1", "?build=v2", backlog=1, in_hand=0)
    await builds.becomes("v1", "?build=v1", backlog=0, in_hand=1)
    await builds.becomes("v1", "", backlog=1, in_hand=1)

    builds.let_go()
    await builds.becomes("v1", "?build=v1", backlog=0, in_hand=0)


async def test_command_answers_by_build_and_names_what_is_unknown(builds: Builds) -> None:
    await builds.work("v1")
    await builds.start()
    await builds.becomes("v1", "?build=v1", backlog=0, in_hand=1)
    await builds.work("v2")
    address = builds.client.service_client.config.target_host
    async with CommandLine(address, builds.name) as command:

        async def of(build: str) -> dict[str, int]:
            asked = await command("scale", builds.name, "--build", build, "--deployment", builds.name, "--json")
            assert asked.out, asked.err
            return dict(json.loads(asked.out))

        unknown = await command("scale", builds.name, "--build", "v3", "--deployment", builds.name)
        found = [await of("v1"), await of("v2")]

    status, content = await builds.workers["v1"].get(f"/scale/{builds.name}?build=v3")
    assert [each["value"] for each in found] == [1, 0]
    assert (unknown.code, status) == (2, 404)
    assert content["reason"] in " ".join(unknown.err.split())
    assert content["reason"].startswith(f"deployment {builds.name!r} has no version 'v3'; no worker of it has polled")
