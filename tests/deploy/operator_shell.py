"""A deployment of two versions on a server of its own, and what an operator types there."""

import asyncio
import os
import re
import shlex
import sysconfig
from asyncio.subprocess import PIPE
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Self

from temporalio.api.enums.v1 import BatchOperationState
from temporalio.api.workflowservice.v1 import DescribeBatchOperationRequest
from temporalio.common import WorkerDeploymentVersion

from spine_temporal import AgentWorker, DurableAgent, Run
from spine_temporal.contracts import names
from spine_temporal.testing import dev_server
from tests.deploy.runbook_project.agents.assistant import agent
from tests.rooms.cli.command import Done, listed
from tests.rooms.cli.forked import forked
from tests.support.deployments import make_current
from tests.support.waiting import BOUND_S, until

PROJECT: Final = Path(__file__).with_name("runbook_project")
DEPLOYMENT: Final = "spine-agents"
BUILDS: Final = ("build-1", "build-2")
_RUN: Final = f"{names.WORKFLOW_ID_PREFIX}RUN"
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

    async def start_some(self) -> None:
        """A run that waits for a person, an idle one, one that was ended, one that has failed; lists have them all."""
        waits, idle, ended = await asyncio.gather(self._waiting(), self._idle(1), self._waiting())
        await self.client.get_workflow_handle(ended.workflow_id).terminate()
        failed = await self.start("fail")
        for run, status in ((waits, "paused"), (idle, "idle"), (ended, "terminated"), (failed, "failed")):
            await listed(self.client, run.id, status)

    async def _waiting(self) -> Run:
        run = await self.start("pay")

        async def asks() -> bool:
            return bool(await run.pending())

        await until(asks, f"an approval of {run.id}")
        return run

    async def _idle(self, steps: int) -> Run:
        run = await self.start(f"look {steps}")
        await run.result()
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
        assert process.returncode is not None
        done = Done(process.returncode, out.decode(), err.decode())
        if started := re.search(r"Started batch for job ID: (\S+)", done.out):
            await self._batch_ended(started[1])
        return done

    async def _batch_ended(self, job_id: str) -> None:
        # The server takes one at a time, as the page says.
        request = DescribeBatchOperationRequest(namespace=self.client.namespace, job_id=job_id)

        async def is_completed() -> bool:
            found = await self.client.workflow_service.describe_batch_operation(request)
            return found.state == BatchOperationState.BATCH_OPERATION_STATE_COMPLETED

        await until(is_completed, f"batch {job_id} that is completed")

    async def _about_a_run(self, line: str) -> str:
        line = line.replace(_LONG_AGO, _SOON)
        if _RUN not in line:
            return line
        step = re.search(r"--step (\d+)", line)
        # A call 3.0 waits in the one; the other has the step to begin behind.
        run = await (self._waiting() if step is None else self._idle(int(step[1])))
        return line.replace(_RUN, run.workflow_id)
