"""An agent that lives on workers, used like an agent in this process."""

import functools
import uuid
from collections.abc import AsyncIterator, Callable

import anyio
from spine_core import Result, TraceEvent
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.client.failures import unreachable
from spine_temporal.client.presence import asking, telling_when_nobody_polls
from spine_temporal.client.run import Run
from spine_temporal.contracts import names
from spine_temporal.contracts.limits import MAX_PAYLOAD_BYTES
from spine_temporal.contracts.opening import RunRequest
from spine_temporal.errors import BadInput, InputTooLarge
from spine_temporal.payloads import pack


class DurableAgent:
    """The agent `name` of the workers on `task_queue`, with the methods and Results of `spine_core.Agent`.

    Nothing of the agent is needed in this process: not its tools, its keys or its plugins. `workflow_id_prefix` goes
    before the session id to make the workflow id. `last_result` is the Result of the last run that this object
    waited for.
    """

    def __init__(
        self,
        name: str,
        client: Client,
        *,
        task_queue: str = names.DEFAULT_TASK_QUEUE,
        workflow_id_prefix: str = names.WORKFLOW_ID_PREFIX,
    ) -> None:
        if not name:
            raise BadInput("the agent's name is empty; it is the name that its worker knows it by")
        self.name = name
        self.task_queue = task_queue
        self.last_result: Result | None = None
        self._client = client
        self._prefix = workflow_id_prefix

    async def run(
        self, input: str, *, session_id: str | None = None, should_cancel: Callable[[], bool] | None = None
    ) -> Result:
        """Start a run and wait for its Result, as `Agent.run` does.

        The run goes on when this process dies; `get_run(session_id)` finds it again. `should_cancel` is asked here,
        ten times a second, and ends the run at its next step boundary. When nobody polls the task queue, a warning is
        logged after a few seconds and the wait goes on.

        Raises:
            BadInput: the input is empty, or too large for a payload (`InputTooLarge`).
            ServerUnreachable: no server answers.
            UnknownAgent: the worker serves no such agent.
        """
        run = await self._start(input, session_id, stop=should_cancel is not None and should_cancel())
        async with telling_when_nobody_polls(self._client, self.task_queue), asking(should_cancel, run):
            self.last_result = await run.result()
        return self.last_result

    async def start(self, input: str, *, session_id: str | None = None) -> Run:
        """Start a run; do not wait for it. It is accepted also when no worker is there yet.

        Raises:
            BadInput: the input is empty, or too large for a payload (`InputTooLarge`).
            ServerUnreachable: no server answers.
        """
        return await self._start(input, session_id, stop=False)

    async def stream(self, input: str, *, session_id: str | None = None) -> AsyncIterator[TraceEvent]:
        """Start a run, give its trace events live. Afterwards `last_result` is its Result.

        Whoever stops reading leaves the run going.
        """
        run = await self._start(input, session_id, stop=False)
        async with telling_when_nobody_polls(self._client, self.task_queue):
            async for event in run.events():
                yield event
        self.last_result = await run.result()

    def run_sync(self, input: str, *, session_id: str | None = None) -> Result:
        """`run`, for code without an event loop."""
        return anyio.run(functools.partial(self.run, input, session_id=session_id))

    def get_run(self, id: str) -> Run:
        """The run of that session id, from any process. Whether it exists shows when it is asked something."""
        return Run(self._client, id=id, workflow_id=f"{self._prefix}{id}")

    async def _start(self, input: str, session_id: str | None, *, stop: bool) -> Run:
        request = _request(self.name, input, session_id or uuid.uuid4().hex, stop=stop)
        run = self.get_run(str(request.session_id))
        try:
            handle = await self._client.start_workflow(
                names.AGENT_WORKFLOW,
                pack(request),
                id=run.workflow_id,
                task_queue=self.task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                static_summary=self.name,
            )
        except WorkflowAlreadyStartedError as error:
            raise BadInput(f"session {run.id!r} has a run in flight; wait for it with get_run({run.id!r})") from error
        except RPCError as error:
            raise unreachable(self._client, error) if error.status is RPCStatusCode.UNAVAILABLE else error from error
        run.run_id = handle.first_execution_run_id
        return run


def _request(name: str, input: str, session_id: str, *, stop: bool) -> RunRequest:
    if not isinstance(input, str) or not input.strip():
        raise BadInput(f"the input of a run is what the user says, {input!r} says nothing")
    size_bytes = len(input.encode())
    if size_bytes > MAX_PAYLOAD_BYTES:
        raise InputTooLarge(
            f"the input has {size_bytes:,} bytes, a Temporal payload holds {MAX_PAYLOAD_BYTES:,}; "
            "store it where a tool can read it, say where it is"
        )
    return RunRequest(agent=name, input=input, session_id=session_id, stop=stop)
