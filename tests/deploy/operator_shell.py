"""A deployment of two versions on a server of its own, and what an operator types there."""

import asyncio
import os
import shlex
import sysconfig
from asyncio.subprocess import PIPE
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Self

from temporalio.common import WorkerDeploymentVersion

from spine_temporal import AgentWorker, DurableAgent, Run
from spine_temporal.contracts import names
from spine_temporal.testing import dev_server
from tests.deploy.runbook_project.agents.assistant import agent
from tests.rooms.cli.command import Done
from tests.rooms.cli.forked import forked
from tests.support.deployments import make_current
from tests.support.waiting import BOUND_S, until

PROJECT: Final = Path(__file__).with_name("runbook_project")
DEPLOYMENT: Final = "spine-agents"
BUILDS: Final = ("build-1", "build-2")
# A run of which each step that a page names can be forked.
STEPS: Final = 41
# Batches of the pages are about what is old: in a namespace that has just begun, that is all there is until then.
_LONG_AGO, _SOON = "2026-01-01T", "2100-01-01T"


class OperatorShell:
    """What is typed is carried out by the real commands; `spine-RUN` is a run that the command is about."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._runs = 0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(dev_server())
            self.client = server.client
            for build in BUILDS:
                version = WorkerDeploymentVersion(DEPLOYMENT, build)
                worker = AgentWorker(self.client, agents={"assistant": agent}, deployment_version=version)
                await stack.enter_async_context(worker)
                await make_current(self.client, DEPLOYMENT, build)
            self._long = await self.start(f"look {STEPS}")
            await self._long.result()
            self._stack = stack.pop_all()
        address = self.client.service_client.config.target_host
        plain = {
            name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "SPINE_TEMPORAL_"))
        }
        self._environment = plain | {"TEMPORAL_ADDRESS": address, "COLUMNS": "120"}
        return self

    async def __aexit__(self, *of_error: object) -> None:
        await self._stack.aclose()

    async def make_current(self, build: str) -> None:
        """Have new runs begin on that version."""
        await make_current(self.client, DEPLOYMENT, build)

    async def start(self, input: str) -> Run:
        """Say something in a session of its own."""
        self._runs += 1
        return await DurableAgent("assistant", self.client).start(input, session_id=f"night-{self._runs}")

    async def start_one_that_waits(self) -> Run:
        """A run whose call 3.0 waits for a person."""
        run = await self.start("pay")

        async def asks() -> bool:
            return bool(await run.pending())

        await until(asks, f"an approval of {run.id}")
        return run

    async def type(self, line: str) -> Done:
        """Carry the line out, and agree to what it asks."""
        program, *words = shlex.split(await self._about_a_run(line))
        if program == "spine-temporal":
            return Done(*await forked(words, self._environment, "y\n", BOUND_S, cwd=PROJECT))
        process = await asyncio.create_subprocess_exec(
            Path(sysconfig.get_path("scripts"), program),
            *words,
            env=self._environment,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )
        async with asyncio.timeout(BOUND_S):
            out, err = await process.communicate(b"y\n")
        return Done(process.returncode or 0, out.decode(), err.decode())

    async def _about_a_run(self, line: str) -> str:
        line = line.replace(_LONG_AGO, _SOON)
        if f"{names.WORKFLOW_ID_PREFIX}RUN" not in line:
            return line
        run = self._long if "fork" in line.split() else await self.start_one_that_waits()
        return line.replace(f"{names.WORKFLOW_ID_PREFIX}RUN", run.workflow_id)
