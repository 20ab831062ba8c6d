"""A worker deployment with versions side by side, as a test rolls it out."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, Self

from spine_core import Agent
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
)
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion

from spine_temporal import AgentWorker, DurableAgent, Run
from spine_temporal.client.deployments import describe_deployment
from spine_temporal.client.drain import Drained, drain
from spine_temporal.errors import BadInput
from spine_temporal.worker.replay import replay
from tests.faults.agents import Effects
from tests.features.rollout.agents import clerk
from tests.support.deployments import make_current
from tests.support.harness import check_run
from tests.support.waiting import until

# Stock, a version is draining for three minutes at least, and looked at every three.
QUICK: Final = {
    "matching.wv.VersionDrainageStatusVisibilityGracePeriod": "1s",
    "matching.wv.VersionDrainageStatusRefreshInterval": "1s",
    "frontend.WorkflowPauseEnabled": True,
}


class Rollout:
    """One deployment. At the end each run that it started is folded, and each of its histories replayed."""

    def __init__(self, client: Client, name: str, folder: Path) -> None:
        self.client, self.name, self.task_queue = client, name, f"{name}-queue"
        self.effects = Effects(folder)
        self.folder = folder
        self._stack = AsyncExitStack()
        self._workers: dict[str, AsyncExitStack] = {}
        self._last: AgentWorker | None = None
        self._runs: list[Run] = []

    async def work(self, build: str, *agents: Agent, named: dict[str, Any] | None = None, current: bool = True) -> None:
        """Start a worker of that build in this process; by default its version becomes current."""
        served = named or {str(each.name): each for each in agents or (clerk(build, self.folder),)}
        version = WorkerDeploymentVersion(self.name, build)
        worker = AgentWorker(self.client, agents=served, task_queue=self.task_queue, deployment_version=version)
        self._workers[build] = await self._stack.enter_async_context(AsyncExitStack())
        await self._workers[build].enter_async_context(worker)
        self._last = worker
        if current:
            await self.make_current(build)
        else:
            await until(lambda: self._polls(build), f"a worker of version {build} that the server knows")

    async def _polls(self, build: str) -> bool:
        try:
            version = (await describe_deployment(self.client, self.name)).version(build)
        except BadInput:
            return False
        return version is not None and version.task_queues == (self.task_queue,)

    async def stop(self, build: str) -> None:
        """End the worker of that build."""
        await self._workers.pop(build).aclose()

    async def make_current(self, build: str) -> None:
        """As an operator does it."""
        await make_current(self.client, self.name, build)

    def agent(self, name: str = "clerk", **options: Any) -> DurableAgent:
        return DurableAgent(name, self.client, task_queue=self.task_queue, **options)

    async def start(self, input: str, session: str, **options: Any) -> Run:
        """Say something in a session of this deployment."""
        run = await self.agent(**options).start(input, session_id=f"{self.name}-{session}")
        self._runs.append(run)
        return run

    async def paused(self, run: Run) -> Run:
        """The run, once it waits for a person."""

        async def asks() -> bool:
            return bool(await run.pending())

        await until(asks, f"an approval of {run.id}")
        return run

    async def drain(self, build: str, *, wait_s: float = 60.0, replayed: bool = False) -> Drained:
        async def can_go_on(history: Any) -> str | None:
            return (await replay("", history, self.client.data_converter)).problem

        return await drain(
            self.client, build, deployment=self.name, wait_s=wait_s, can_go_on=can_go_on if replayed else None
        )

    async def describe(self, workflow_id: str) -> DescribeWorkflowExecutionResponse:
        request = DescribeWorkflowExecutionRequest(
            namespace=self.client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
        )
        return await self.client.workflow_service.describe_workflow_execution(request)

    async def build_of(self, run: Run) -> str:
        """The version that the latest execution of a run is pinned to."""
        info: WorkflowExecutionInfo = (await self.describe(run.workflow_id)).workflow_execution_info
        return info.versioning_info.deployment_version.build_id

    async def until_on(self, build: str, run: Run) -> None:
        async def is_there() -> bool:
            return await self.build_of(run) == build

        await until(is_there, f"{run.id} on version {build}")

    async def until_drained(self, build: str) -> None:
        async def is_drained() -> bool:
            version = (await describe_deployment(self.client, self.name)).version(build)
            return version is not None and version.status == "drained"

        await until(is_drained, f"version {build} that is drained")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, type_: type[BaseException] | None, *_: object) -> None:
        async with self._stack:
            if type_ is None and self._last is not None:
                for run in self._runs:
                    await check_run(self.client, self._last, run)
