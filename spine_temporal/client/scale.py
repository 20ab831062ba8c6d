"""How much work a task queue has, for whatever scales its workers."""

import time
from typing import Final

from temporalio.api.deployment.v1 import WorkerDeploymentVersion
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.worker.v1 import WorkerHeartbeat
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeWorkerDeploymentVersionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.client.deployments import find_deployment
from spine_temporal.client.read_model import ReadModel
from spine_temporal.client.worker_heartbeats import heartbeats
from spine_temporal.errors import BadInput

_TYPES: Final = (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)
# By the clock, of a worker that is met for the first time: several of the SDK's own intervals of 60 s.
_OLD_S: Final = 180.0
# Of one that was met before: as many of its own intervals without a new heartbeat.
_MISSED: Final = 3.0
_LEAST_INTERVAL_S: Final = 5.0
_FORGET_S: Final = 3600.0


class ScaleSignal(ReadModel):
    """The work of a task queue. Runs that wait for people, for their next turn or for a timer are none."""

    value: int
    """What to scale by: the two below together."""
    backlog: int
    """Tasks that wait for a worker. The server counts anew every five seconds."""
    in_hand: int
    """Steps, tool calls and other activities at work, on all workers, as of their last heartbeats."""


async def scale_signal(
    client: Client, task_queue: str, build_id: str | None = None, *, deployment: str | None = None
) -> ScaleSignal:
    """As `ScaleSource.signal`, asked once: a worker that was killed a moment ago still counts."""
    return await ScaleSource().signal(client, task_queue, build_id, deployment=deployment)


class ScaleSource:
    """Answers for the task queues of one server; it remembers workers, so as to know those that have died."""

    def __init__(self) -> None:
        self._met: dict[str, tuple[int, float]] = {}

    async def signal(
        self, client: Client, task_queue: str, build_id: str | None = None, *, deployment: str | None = None
    ) -> ScaleSignal:
        """The work of that queue; of one that nobody knows there is none.

        With a `build_id` only the work for workers of that version: what is pinned to it, and what is bound to none
        while it is the current one. `deployment` is as `find_deployment` takes it.

        Raises:
            BadInput: there is no such version, or the deployment is not clear.
            temporalio.service.RPCError: the server is away, refuses, or knows no heartbeats of workers.
        """
        version = None if build_id is None else await _version(client, build_id, deployment)
        backlog = await (_backlog(client, task_queue) if version is None else _backlog_of(client, task_queue, version))
        beats = [
            beat
            async for beat in heartbeats(client, task_queue)
            if version is None or beat.deployment_version == version
        ]
        in_hand = sum(
            beat.activity_task_slots_info.current_used_slots + beat.local_activity_slots_info.current_used_slots
            for beat in beats
            if self._lives(beat)
        )
        return ScaleSignal(value=backlog + in_hand, backlog=backlog, in_hand=in_hand)

    def _lives(self, beat: WorkerHeartbeat) -> bool:
        # A worker that was killed stays on the server's list with what it had in hand. Its heartbeats bear the time of
        # its own clock, which may be wrong; so, once it was met, it counts whether there are new ones.
        now_s, beaten_ns = time.monotonic(), beat.heartbeat_time.ToNanoseconds()
        interval_s = max(beat.elapsed_since_last_heartbeat.ToNanoseconds() / 1e9, _LEAST_INTERVAL_S)
        known = self._met.get(beat.worker_instance_key)
        if known is None:
            self._forget(now_s)
            old = abs(time.time() - beaten_ns / 1e9) > min(_MISSED * interval_s, _OLD_S)
            self._met[beat.worker_instance_key] = beaten_ns, now_s - (_MISSED * interval_s if old else 0)
            return not old
        if known[0] != beaten_ns:
            self._met[beat.worker_instance_key] = beaten_ns, now_s
            return True
        return now_s - known[1] < _MISSED * interval_s

    def _forget(self, now_s: float) -> None:
        self._met = {key: known for key, known in self._met.items() if now_s - known[1] < _FORGET_S}


async def _version(client: Client, build_id: str, deployment: str | None) -> WorkerDeploymentVersion:
    name = await find_deployment(client, deployment)
    return WorkerDeploymentVersion(deployment_name=name, build_id=build_id)


async def _backlog(client: Client, task_queue: str) -> int:
    return sum([await _backlog_of_type(client, task_queue, type_) for type_ in _TYPES])


async def _backlog_of_type(client: Client, task_queue: str, type_: TaskQueueType.ValueType) -> int:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=task_queue), task_queue_type=type_, report_stats=True
    )
    return (await client.workflow_service.describe_task_queue(request)).stats.approximate_backlog_count


async def _backlog_of(client: Client, task_queue: str, version: WorkerDeploymentVersion) -> int:
    request = DescribeWorkerDeploymentVersionRequest(
        namespace=client.namespace, deployment_version=version, report_task_queue_stats=True
    )
    try:
        described = await client.workflow_service.describe_worker_deployment_version(request)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise BadInput(
            f"deployment {version.deployment_name!r} has no version {version.build_id!r}; no worker of it has polled "
            "yet, or `temporal worker deployment describe` lists what there is"
        ) from None
    return sum(
        queue.stats.approximate_backlog_count
        for queue in described.version_task_queues
        if queue.name == task_queue and queue.type in _TYPES
    )
