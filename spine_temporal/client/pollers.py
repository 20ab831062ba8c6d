"""What goes on beside a caller who waits for a run."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from spine_core import Result
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.errors import SpineTemporalError

if TYPE_CHECKING:
    from spine_temporal.client.run import Run

_log = logging.getLogger(__name__)

_LOOK_AFTER_S: Final = 3.0
_LOOK_AGAIN_S: Final = 30.0
_ASK_EVERY_S: Final = 0.1
_looked_s: Final[dict[tuple[str, str, str], float]] = {}


async def count_pollers(client: Client, task_queue: str) -> int:
    """How many workers polled the task queue for workflow tasks lately (in the last five minutes, the server says)."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    described = await client.workflow_service.describe_task_queue(request)
    return len(described.pollers)


async def warn_if_no_worker(client: Client, workflow_id: str, got_on: Callable[[], bool]) -> None:
    """Log a warning when no worker polls the task queue of a run, after a few seconds and every half a minute.

    To be cancelled by whoever no longer waits. However many runs wait on a task queue, it is logged once. Nobody is
    asked while it is known that the run `got_on` since the last time.
    """
    pause_s = _LOOK_AFTER_S
    while True:
        await asyncio.sleep(pause_s)
        pause_s = _LOOK_AGAIN_S
        if got_on():
            continue
        try:
            # Not by the SDK's own handle, which raises on a workflow that is paused on the server.
            request = DescribeWorkflowExecutionRequest(
                namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
            )
            described = await client.workflow_service.describe_workflow_execution(request)
            task_queue = described.workflow_execution_info.task_queue
            key = (client.service_client.config.target_host, client.namespace, task_queue)
            if time.monotonic() - _looked_s.get(key, -_LOOK_AGAIN_S) < _LOOK_AGAIN_S:
                continue
            _looked_s[key] = time.monotonic()
            pollers = await count_pollers(client, task_queue)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                _log.warning("cannot ask who polls for run %r: %s", workflow_id, error.message)
            continue
        if not pollers:
            _log.warning(
                "no worker polls task queue %r in namespace %r; the run is accepted and waits for one: "
                "`spine-temporal worker --task-queue %s`",
                task_queue,
                client.namespace,
                task_queue,
            )


async def result_unless(should_cancel: Callable[[], bool], run: "Run") -> Result:
    """The run's next Result, with the run stopped as soon as `should_cancel` says so.

    What `should_cancel` raises is raised, as by the kernel, and the run takes no further step; a Result that is there
    by then is given.
    """
    result, asked = asyncio.create_task(run.result()), asyncio.create_task(_ask(should_cancel))
    try:
        await asyncio.wait({result, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not result.done():
            await _stop(run)
            error = asked.exception()
            if error is not None:
                raise error
        return await result
    finally:
        for task in (result, asked):
            task.cancel()
        await asyncio.gather(result, asked, return_exceptions=True)


async def _ask(should_cancel: Callable[[], bool]) -> None:
    while not should_cancel():
        await asyncio.sleep(_ASK_EVERY_S)


async def _stop(run: "Run") -> None:
    try:
        await run.stop()
    except (RPCError, SpineTemporalError) as error:
        # Whoever waits for the run learns what has become of it.
        _log.warning("cannot stop run %r, which goes on: %s", run.id, error)
