"""How much work a task queue has, for whatever scales its workers."""

import time
from collections.abc import AsyncIterator
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType, WorkerStatus
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.worker.v1 import WorkerHeartbeat
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeWorkerRequest,
    ListWorkersRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.client.read_model import ReadModel

_TYPES: Final = (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)
# A name with one of these cannot be said in this query, however it is escaped (server 1.32).
_UNSAYABLE: Final = frozenset("'\"\\")
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


async def scale_signal(client: Client, task_queue: str) -> ScaleSignal:
    """The work of a task queue, asked once: a worker that was killed a moment ago still counts.

    Raises:
        temporalio.service.RPCError: as `ScaleSource.signal`.
    """
    return await ScaleSource().signal(client, task_queue)


class ScaleSource:
    """Answers for the task queues of one server; it remembers workers, so as to know those that have died."""

    def __init__(self) -> None:
        self._met: dict[str, tuple[int, float]] = {}

    async def signal(self, client: Client, task_queue: str) -> ScaleSignal:
        """The work of that queue; of one that nobody knows there is none.

        Raises:
            temporalio.service.RPCError: the server is away, refuses, or knows no heartbeats of workers.
        """
        backlog = sum([await _backlog(client, task_queue, type_) for type_ in _TYPES])
        beats = [beat async for beat in _heartbeats(client, task_queue)]
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


async def _backlog(client: Client, task_queue: str, type_: TaskQueueType.ValueType) -> int:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=task_queue), task_queue_type=type_, report_stats=True
    )
    return (await client.workflow_service.describe_task_queue(request)).stats.approximate_backlog_count


async def _heartbeats(client: Client, task_queue: str) -> AsyncIterator[WorkerHeartbeat]:
    """The last ones of the queue's workers that are running; one that stops gives its work to others."""
    query = "Status = 'Running'"
    if not _UNSAYABLE & set(task_queue):
        query += f" AND TaskQueue = '{task_queue}'"
    request = ListWorkersRequest(namespace=client.namespace, query=query)
    while True:
        page = await client.workflow_service.list_workers(request)
        found: dict[str, WorkerHeartbeat | None] = {
            each.worker_heartbeat.worker_instance_key: each.worker_heartbeat
            for each in page.workers_info
            if each.worker_heartbeat.task_queue == task_queue
        }
        # Lists of later servers are to say no more than who there is.
        for worker in page.workers:
            if worker.task_queue == task_queue and worker.worker_instance_key not in found:
                found[worker.worker_instance_key] = await _heartbeat(client, worker.worker_instance_key)
        for beat in found.values():
            if beat is not None and beat.status == WorkerStatus.WORKER_STATUS_RUNNING:
                yield beat
        if not page.next_page_token:
            return
        request.next_page_token = page.next_page_token


async def _heartbeat(client: Client, key: str) -> WorkerHeartbeat | None:
    request = DescribeWorkerRequest(namespace=client.namespace, worker_instance_key=key)
    try:
        return (await client.workflow_service.describe_worker(request)).worker_info.worker_heartbeat
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
