"""A run of an agent, seen from outside."""

from collections.abc import AsyncIterator, Awaitable

from spine_core import Result, State, TraceEvent
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.client.failures import failed_run, unreachable
from spine_temporal.contracts import names
from spine_temporal.history.fold import Fold
from spine_temporal.history.follow import closed, follow
from spine_temporal.journal.result import result_of


class Run:
    """One run of an agent. Had from `DurableAgent.start` or, in any process, from `DurableAgent.get_run`.

    Everything it tells is read from the run's history: reading needs no worker and adds nothing to the history.
    `id` is the session id, `workflow_id` what Temporal calls it; `run_id` names one execution of that workflow, None
    means its latest.
    """

    def __init__(self, client: Client, *, id: str, workflow_id: str, run_id: str | None = None) -> None:
        self._client = client
        self.id = id
        self.workflow_id = workflow_id
        self.run_id = run_id

    def __repr__(self) -> str:
        return f"Run({self.id!r}, workflow_id={self.workflow_id!r})"

    async def result(self) -> Result:
        """The Result, once the run stops; it waits until then, through crashes of workers and of the server.

        A run that was cancelled or terminated from outside has a Result too, with the conversation as far as it got.

        Raises:
            RunNotFound: there is no such run.
            NotAnAgentRun: the id belongs to another kind of workflow.
            UnknownAgent: the worker that opened the run serves no such agent.
            AgentBroken: the agent could not be built.
            RunFailed: the workflow itself failed.
        """
        await closed(self._client, self.workflow_id, self.run_id)
        fold = self._fold()
        async for event in self._history(wait=False):
            await fold.feed(event)
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
                raise failed_run(event, self.workflow_id)
        return result_of(fold.ledger, fold.trace)

    async def events(self) -> AsyncIterator[TraceEvent]:
        """The kernel's trace events, from the first on, live until the run stops.

        Their `ts` is the server's time. A tool's start is told when its result is there if a `before_tool` hook could
        still change the call.
        """
        fold = self._fold()
        async for event in self._history(wait=True):
            for told in await fold.feed(event):
                yield told

    async def state(self) -> State:
        """The State as it is now."""
        fold = self._fold()
        async for event in self._history(wait=False):
            await fold.feed(event)
        return fold.ledger.state

    async def stop(self) -> None:
        """Ask the run to end at its next step boundary; its Result then says `StopReason.CANCELLED`.

        Nothing happens to a run that has ended.

        Raises:
            RunNotFound: there is no such run.
        """
        await self._tell(self._handle().signal(names.STOP_SIGNAL))

    async def cancel(self) -> None:
        """End the run now, through Temporal's cancellation: what is in flight is cancelled, `on_run_end` still runs.

        Raises:
            RunNotFound: there is no such run.
        """
        await self._tell(self._handle().cancel())

    def _fold(self) -> Fold:
        return Fold(self._client.data_converter)

    def _history(self, *, wait: bool) -> AsyncIterator[HistoryEvent]:
        return follow(self._client, self.workflow_id, self.run_id, wait=wait)

    def _handle(self) -> WorkflowHandle[object, object]:
        return self._client.get_workflow_handle(self.workflow_id, run_id=self.run_id)

    async def _tell(self, request: Awaitable[None]) -> None:
        try:
            await request
        except RPCError as error:
            if error.status is RPCStatusCode.UNAVAILABLE:
                raise unreachable(self._client, error) from error
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            # The server says NOT_FOUND also of a workflow that is over; then there is nothing to end.
            await self.state()
