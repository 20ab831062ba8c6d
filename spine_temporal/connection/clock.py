"""How far this machine's clock is from the server's."""

import asyncio
import contextlib
import time
import uuid
from datetime import UTC, timedelta
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, PollActivityTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

_POLL_S: Final = 5.0
_LOOK_AGAIN_S: Final = 0.05


async def clock_skew_s(client: Client) -> float | None:
    """Seconds that this clock is ahead of the server's, negative if behind; None: it cannot be measured.

    No answer of a server holds its time. So an empty task queue is polled for a moment, and asked when that was.

    Raises:
        temporalio.service.RPCError: the server lets whoever asks not describe task queues.
    """
    task_queue = f"spine-clock-{uuid.uuid4().hex}"
    sent_s = time.time()
    polling = asyncio.create_task(_poll(client, task_queue))
    try:
        while not polling.done():
            await asyncio.sleep(_LOOK_AGAIN_S)
            described = await client.workflow_service.describe_task_queue(
                DescribeTaskQueueRequest(
                    namespace=client.namespace,
                    task_queue=TaskQueue(name=task_queue),
                    task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
                )
            )
            for poller in described.pollers:
                return sent_s - poller.last_access_time.ToDatetime(tzinfo=UTC).timestamp()
        return None
    finally:
        polling.cancel()
        await asyncio.wait({polling})


async def _poll(client: Client, task_queue: str) -> None:
    request = PollActivityTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=task_queue), identity=client.identity
    )
    with contextlib.suppress(RPCError):
        await client.workflow_service.poll_activity_task_queue(request, timeout=timedelta(seconds=_POLL_S))
