"""The Temporal server as the place where middleware keeps its state."""

import asyncio
import logging
import secrets
import shlex
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from spine_temporal.contracts import names
from spine_temporal.contracts.policies import WORKER_SILENCE_S
from spine_temporal.contracts.postponing import RetryLater
from spine_temporal.errors import BadInput

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.common import RawValue

_log = logging.getLogger(__name__)

# By then somebody wonders what a step or a tool waits for.
_SLOW_S: Final = 5.0
_PATIENCE_S: Final = 60.0
_PAUSE_S: Final = 0.5
_CROWDED_S: Final = 1.0


class StateWorkflow:
    """Reaches the workflow that keeps a state: through the worker whose activity this is, else by a client of its own.

    Without a `client` and outside a worker it connects on first use, to the server that Temporal's own settings name.
    The workflow is worked on by the workers of `task_queue`; None: by those of the run, outside a worker by "spine".
    """

    def __init__(self, client: "Client | None", task_queue: str | None, store: object) -> None:
        if store is not None:
            raise BadInput("a store is for spine's own middleware: this one keeps its state in Temporal")
        self._client = client
        self._task_queue = task_queue

    async def client(self) -> "Client":
        """The client to use here.

        Raises:
            ServerUnreachable: no server answers.
        """
        from temporalio import activity

        if self._client is None and activity.in_activity():
            from spine_temporal.connection.worker_converter import worker_client

            return worker_client(activity.client())
        if self._client is None:
            from spine_temporal.connection.connect import connect

            self._client = await connect()
        return self._client

    @property
    def task_queue(self) -> str:
        """Whose workers work on the workflow."""
        from temporalio import activity

        if self._task_queue is not None:
            return self._task_queue
        return activity.info().task_queue if activity.in_activity() else names.DEFAULT_TASK_QUEUE

    async def updated(
        self, update: str, request: "RawValue", workflow: str, begins_with: "RawValue", workflow_id: str, **start: Any
    ) -> "RawValue":
        """The workflow's answer to an update; it is started if it is not there.

        Raises:
            temporalio.exceptions.WorkflowAlreadyStartedError: it is closed, and `start` says not to start it again.
            temporalio.service.RPCError: the server refuses, or has not answered for a minute.
            RetryLater: in a worker, too many ask the same workflow at once; the server takes ten of them.
        """
        from temporalio.client import WithStartWorkflowOperation
        from temporalio.common import RawValue, WorkflowIDConflictPolicy

        client = await self.client()
        handle = client.get_workflow_handle(workflow_id)
        with missed(workflow_id):
            # Many updates at once that would each start the workflow are in the server's way.
            going: RawValue | None = await found(lambda: handle.execute_update(update, request, result_type=RawValue))
            if going is not None:
                return going
            answer: RawValue = await in_turn(
                lambda: client.execute_update_with_start_workflow(
                    update,
                    request,
                    start_workflow_operation=WithStartWorkflowOperation(
                        workflow,
                        begins_with,
                        id=workflow_id,
                        task_queue=self.task_queue,
                        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                        task_timeout=timedelta(seconds=WORKER_SILENCE_S),
                        **start,
                    ),
                    result_type=RawValue,
                )
            )
        return answer


@contextmanager
def missed(workflow_id: str) -> Iterator[None]:
    """Log that the workflow does not answer, when the body waits for it for long."""
    late = asyncio.get_running_loop().call_later(
        _SLOW_S,
        _log.warning,
        "the workflow %r, which keeps the state of a middleware, has not answered for %g s; unless another call is at "
        "work on the same thing, nobody may poll its task queue, which `temporal workflow describe --workflow-id %s` "
        "names",
        workflow_id,
        _SLOW_S,
        shlex.quote(workflow_id),
    )
    try:
        yield
    finally:
        late.cancel()


def name_of_work(otherwise: str | None = None) -> str:
    """The name of the work in hand, equal for each attempt of an activity; outside a worker `otherwise`, or new."""
    from temporalio import activity

    if not activity.in_activity():
        return otherwise or secrets.token_hex(8)
    info = activity.info()
    return f"{info.workflow_run_id}/{info.activity_id}"


def name_of_attempt() -> str:
    """The name of this very attempt."""
    from temporalio import activity

    attempt = activity.info().attempt if activity.in_activity() else 1
    return f"{name_of_work()}/{attempt}"


async def found[Answer](ask: Callable[[], Awaitable[Answer]]) -> Answer | None:
    """What `ask` gives; None: there is no such workflow, or it is closed.

    Raises:
        temporalio.service.RPCError: the server refuses, or has not answered for a minute.
        RetryLater: in a worker, too many ask the same workflow at once; the server takes ten of them.
    """
    from temporalio.service import RPCError, RPCStatusCode

    try:
        return await in_turn(ask)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None


async def in_turn[Answer](ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """What `ask` gives, where nothing is lost by asking later: before the model, or the tool, is called.

    Raises:
        temporalio.service.RPCError: the server refuses, or has not answered for a minute.
        RetryLater: in a worker, too many ask the same workflow at once; the server takes ten of them.
    """
    from temporalio import activity
    from temporalio.client import WorkflowUpdateFailedError
    from temporalio.service import RPCError

    while True:
        try:
            return await patiently(ask, also_crowded=not activity.in_activity())
        except (RPCError, WorkflowUpdateFailedError) as error:
            if not _is_crowded(error) or (isinstance(error, RPCError) and not activity.in_activity()):
                raise
            if activity.in_activity():
                raise RetryLater(_CROWDED_S) from error
        await asyncio.sleep(_CROWDED_S)


def _is_crowded(error: Exception) -> bool:
    from temporalio.exceptions import ApplicationError
    from temporalio.service import RPCError, RPCStatusCode

    if isinstance(error, RPCError):
        return error.status is RPCStatusCode.RESOURCE_EXHAUSTED
    cause = error.__cause__
    return isinstance(cause, ApplicationError) and cause.type == names.CROWDED


async def patiently[Answer](ask: Callable[[], Awaitable[Answer]], *, also_crowded: bool = True) -> Answer:
    """What `ask` gives; while the server does not answer, or is crowded, it is asked again, for a minute.

    Raises:
        temporalio.service.RPCError: the server refuses, or has not answered for a minute.
    """
    from temporalio.service import RPCError, RPCStatusCode

    passing = {RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED}
    passing |= {RPCStatusCode.RESOURCE_EXHAUSTED} if also_crowded else set()
    give_up_s = asyncio.get_running_loop().time() + _PATIENCE_S
    while True:
        try:
            return await ask()
        except RPCError as error:
            if error.status not in passing or asyncio.get_running_loop().time() > give_up_s:
                raise
        await asyncio.sleep(_PAUSE_S)
