"""The last heartbeats of a task queue's workers, as the server has them."""

from collections.abc import AsyncIterator
from typing import Final

from temporalio.api.enums.v1 import WorkerStatus
from temporalio.api.worker.v1 import WorkerHeartbeat
from temporalio.api.workflowservice.v1 import DescribeWorkerRequest, ListWorkersRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

# A name with one of these cannot be written in this query, however it is escaped (server 1.32).
_UNWRITABLE: Final = frozenset("'\"\\")


async def heartbeats(client: Client, task_queue: str) -> AsyncIterator[WorkerHeartbeat]:
    """The last ones of the queue's workers that are running; one that stops gives its work to others."""
    query = "Status = 'Running'"
    if not _UNWRITABLE & set(task_queue):
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
