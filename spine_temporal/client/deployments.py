"""Worker deployments: their versions, who polls for each, which runs are pinned to it."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from temporalio.api.deployment.v1 import WorkerDeploymentInfo, WorkerDeploymentVersion
from temporalio.api.enums.v1 import TaskQueueType, WorkerDeploymentVersionStatus
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    DescribeTaskQueueRequest,
    DescribeWorkerDeploymentRequest,
    DescribeWorkerDeploymentVersionRequest,
    ListWorkerDeploymentsRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.client.read_model import ReadModel
from spine_temporal.connection.settings import BUILD_ID, DEPLOYMENT_NAME, deployment_name
from spine_temporal.connection.visibility import equals
from spine_temporal.errors import BadInput

CURRENT: Final = "current"
RAMPING: Final = "ramping"
DRAINED: Final = "drained"
# A poll lasts a minute when nothing comes; the server lists a worker for five minutes after its last one.
_POLLS_AGAIN_S: Final = 75.0
_STATUS: Final = "WORKER_DEPLOYMENT_VERSION_STATUS_"
# A run that is paused on the server counts as drained there, and still needs a worker of its version afterwards.
_OPEN: Final = "(ExecutionStatus = 'Running' OR ExecutionStatus = 'Paused')"
_PINNED: Final = "TemporalWorkflowVersioningBehavior = 'Pinned'"


class Version(ReadModel):
    """One version of a deployment: all workers with one build id."""

    build_id: str
    status: str
    """Temporal's word: current, ramping, draining, drained, inactive; created when nobody has polled for it yet."""
    task_queues: tuple[str, ...] = ()
    """Where its workers polled for workflow tasks, ever."""
    workers: int = 0
    """How many poll for it now."""
    last_polled: datetime | None = None
    """None: nobody in the last five minutes."""
    pinned: int = 0
    """Open workflows that only its workers can go on with."""


class Deployment(ReadModel):
    """A worker deployment with its versions, the newest first."""

    name: str
    current: str | None
    """The build id of the current version; None: workers without a version are current."""
    ramping: str | None
    ramp_percent: float
    versions: tuple[Version, ...]

    def version(self, build_id: str) -> Version | None:
        """The version with that build id; None: there is none."""
        return next((each for each in self.versions if each.build_id == build_id), None)


async def find_deployment(client: Client, name: str | None = None) -> str:
    """The name that is given, else that of the environment, else of the only deployment there is.

    Raises:
        BadInput: there is none, or more than one and none is named.
        temporalio.service.RPCError: the server refuses, or knows no deployments.
    """
    if (named := name or deployment_name()) is not None:
        return named
    request = ListWorkerDeploymentsRequest(namespace=client.namespace)
    found = (await client.workflow_service.list_worker_deployments(request, retry=True)).worker_deployments
    if not found:
        raise BadInput(
            f"namespace {client.namespace!r} has no worker deployment: no worker is versioned; "
            f"{DEPLOYMENT_NAME} and {BUILD_ID} make a worker one of a version"
        )
    if len(found) > 1:
        known = ", ".join(sorted(each.name for each in found))
        raise BadInput(f"there are several deployments ({known}): name one with --deployment, or {DEPLOYMENT_NAME}")
    return found[0].name


async def describe_deployment(client: Client, name: str | None = None, *, only: str | None = None) -> Deployment:
    """The deployment as it is now; without a `name` the one that `find_deployment` finds.

    `only` is the build id of the version whose workers and runs are looked for; None: those of each.

    Raises:
        BadInput: there is no such deployment.
        temporalio.service.RPCError: the server refuses, or knows no deployments.
    """
    name = await find_deployment(client, name)
    request = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=name)
    try:
        info = (await client.workflow_service.describe_worker_deployment(request, retry=True)).worker_deployment_info
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise BadInput(
            f"namespace {client.namespace!r} has no worker deployment {name!r}; no worker of it has polled yet, or "
            "`temporal worker deployment list` says what it is called"
        ) from None
    routing = info.routing_config
    return Deployment(
        name=name,
        current=routing.current_deployment_version.build_id or None,
        ramping=routing.ramping_deployment_version.build_id or None,
        ramp_percent=routing.ramping_version_percentage,
        versions=tuple(await asyncio.gather(*(_version(client, each, only) for each in info.version_summaries))),
    )


def pinned_query(deployment: str, build_id: str) -> str:
    """What finds the open workflows that are pinned to a version.

    Raises:
        BadInput: no query can say that name.
    """
    at = equals("TemporalWorkerDeploymentVersion", f"{deployment}:{build_id}")
    if at is None:
        raise BadInput(f"version {build_id!r} of deployment {deployment!r} cannot be asked for: no query can say it")
    return f"{at} AND {_PINNED} AND {_OPEN}"


async def _version(
    client: Client, info: WorkerDeploymentInfo.WorkerDeploymentVersionSummary, only: str | None
) -> Version:
    version = info.deployment_version
    status = WorkerDeploymentVersionStatus.Name(info.status).removeprefix(_STATUS).lower()
    if only not in (None, version.build_id):
        return Version(build_id=version.build_id, status=status)
    request = DescribeWorkerDeploymentVersionRequest(namespace=client.namespace, deployment_version=version)
    queues = (await client.workflow_service.describe_worker_deployment_version(request, retry=True)).version_task_queues
    polled = [await _pollers(client, queue.name, queue.type, version) for queue in queues]
    times = {poller.identity: poller.last_access_time.ToDatetime(tzinfo=UTC) for some in polled for poller in some}
    now = datetime.now(UTC)
    return Version(
        build_id=version.build_id,
        status=status,
        task_queues=tuple(sorted(_of_workflows((queue.name, queue.type) for queue in queues))),
        workers=sum((now - at).total_seconds() < _POLLS_AGAIN_S for at in times.values()),
        last_polled=max(times.values(), default=None),
        pinned=await count(client, pinned_query(version.deployment_name, version.build_id)),
    )


async def count(client: Client, query: str) -> int:
    """How many workflows a query of the server's list finds."""
    request = CountWorkflowExecutionsRequest(namespace=client.namespace, query=query)
    return (await client.workflow_service.count_workflow_executions(request, retry=True)).count


async def _pollers(
    client: Client, task_queue: str, type_: "TaskQueueType.ValueType", version: WorkerDeploymentVersion
) -> list[PollerInfo]:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=task_queue), task_queue_type=type_
    )
    found = (await client.workflow_service.describe_task_queue(request, retry=True)).pollers
    wanted = (version.deployment_name, version.build_id)
    return [
        each for each in found if (each.deployment_options.deployment_name, each.deployment_options.build_id) == wanted
    ]


def _of_workflows(queues: Iterable[tuple[str, "TaskQueueType.ValueType"]]) -> set[str]:
    return {name for name, type_ in queues if type_ == TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW}
