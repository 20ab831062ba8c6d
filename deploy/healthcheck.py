"""Exits 0 when the worker on this host polls its task queue, else 1 with the reason."""

import asyncio
import os
import socket

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.service import RPCError

from spine_temporal.connection.connect import connect
from spine_temporal.errors import SpineTemporalError
from spine_temporal.worker.exit import leave


async def polls() -> bool:
    """Whether the server knows a poller of this host; the SDK names a worker by its process number at its host."""
    client = await connect()
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=os.environ.get("SPINE_TEMPORAL_TASK_QUEUE") or "spine"),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    described = await client.workflow_service.describe_task_queue(request)
    return any(poller.identity.endswith(f"@{socket.gethostname()}") for poller in described.pollers)


def why_unhealthy() -> str:
    """What is wrong; empty when nothing is."""
    try:
        healthy = asyncio.run(polls())
    except (RPCError, SpineTemporalError) as error:
        return str(error)
    return "" if healthy else "no worker of this host polls the task queue"


if __name__ == "__main__":
    reason = why_unhealthy()
    print(reason)  # noqa: T201
    leave(1 if reason else 0)
