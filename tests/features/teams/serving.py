"""How these tests serve several agents at once, and hold every run of the tree against its history."""

import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final, Self

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal import AgentWorker, DurableAgent, Run
from spine_temporal.agents.registry import Agents
from spine_temporal.contracts import names
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.contracts.turn import OnBusy
from spine_temporal.history.fold import Fold
from tests.support.harness import Mode, activities_in, replay
from tests.support.waiting import until

CACHED: Final = Mode("cached")
# Of four workflows: the SDK stalls when it may keep fewer than are within a local activity, as all are that begin.
HARDLY_CACHED: Final = Mode("hardly_cached", {"max_cached_workflows": 4, "cache_bytes": 0})
CONTINUING: Final = Mode("continuing", {"continue_policy": ContinuePolicy(events=1)})
ALL_MODES: Final = pytest.mark.parametrize(
    "mode", [CACHED, HARDLY_CACHED, CONTINUING], ids=lambda mode: mode.name, indirect=True
)
ONE_MODE: Final = pytest.mark.parametrize("mode", [CACHED], ids=["cached"], indirect=True)

_BOUND_S: Final = 60.0


@dataclass
class Crew:
    """Serves agents in one mode; at the end, every run and every child of it is folded, compared, replayed."""

    client: Client
    mode: Mode
    replays: bool = True
    runs: list[tuple[Run, AgentWorker]] = field(default_factory=list)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def serve(self, agents: Agents, name: str = "boss", **options: Any) -> "Member":
        """The agent `name` of a new worker; `options` go to the AgentWorker."""
        worker = AgentWorker(
            self.client, agents=agents, task_queue=f"teams-{uuid.uuid4().hex}", **(self.mode.options | options)
        )
        await self._stack.enter_async_context(worker)
        return Member(self, worker, name)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, type_: type[BaseException] | None, *_: object) -> None:
        async with self._stack:
            if type_ is None:
                for run, worker in self.runs:
                    # Which caches a worker has makes no difference to a history.
                    await check_tree(
                        self.client, worker, run.workflow_id, again=self.replays and self.mode is not HARDLY_CACHED
                    )


class Member(DurableAgent):
    """A durable agent whose runs are checked at the end of the test."""

    def __init__(self, crew: Crew, worker: AgentWorker, name: str) -> None:
        super().__init__(name, crew.client, task_queue=worker.task_queue)
        self.crew = crew
        self.worker = worker

    def other(self, name: str) -> "Member":
        """Another agent of the same worker."""
        return Member(self.crew, self.worker, name)

    async def _start(
        self, input: str, session_id: str | None, *, stop: bool, on_busy: OnBusy, tokens: bool = False
    ) -> Run:
        run = await super()._start(input, session_id, stop=stop, on_busy=on_busy, tokens=tokens)
        self.crew.runs.append((run, self.worker))
        return run


async def check_tree(client: Client, worker: AgentWorker, workflow_id: str, *, again: bool = True) -> None:
    """The fold of a run is the run, its histories replay (`again`); so for all that work for it."""
    fold = Fold(client.data_converter)
    async for history in executions(client, workflow_id):
        if again:
            await replay(history)
        for event in history.events:
            await fold.feed(event)
    kept = worker.plugin.activities_of_agents.cache.peek((workflow_id, history.run_id))
    completed = history.events[-1].event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
    if kept is not None and completed and _in_memory(history) and not fold.ledger.progress.status_number:
        assert kept.progress.revision == fold.ledger.progress.revision
    for child in await children_of(client, workflow_id):
        await check_tree(client, worker, child, again=again)


def _in_memory(history: WorkflowHistory) -> bool:
    """Whether an activity was the last thing that moved the run on, and nothing else did while it ran."""
    movers = {
        EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
        EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED,
        EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED,
        EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    }
    scheduled = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    begun = max((at for at, event in enumerate(history.events) if event.event_type == scheduled), default=0)
    moved = [event.event_type for event in history.events[begun:] if event.event_type in movers]
    ended = names.END_ACTIVITY in activities_in(history)
    return moved == [EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED] and not ended


async def executions(client: Client, workflow_id: str) -> AsyncIterator[WorkflowHistory]:
    """The histories of a workflow, from its first execution to its last."""
    described = await client.get_workflow_handle(workflow_id).describe()
    run_id = described.raw_description.workflow_execution_info.first_run_id
    while run_id:
        history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        yield history
        run_id = history.events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id


async def children_of(client: Client, workflow_id: str) -> list[str]:
    """The workflow ids of the agents that a run had work for it, in the order in which they began."""
    return [
        event.child_workflow_execution_started_event_attributes.workflow_execution.workflow_id
        async for history in executions(client, workflow_id)
        for event in history.events
        if event.HasField("child_workflow_execution_started_event_attributes")
    ]


async def is_over(client: Client, workflow_id: str) -> WorkflowExecutionStatus:
    """How a workflow closed; waits until it has."""

    async def closed() -> WorkflowExecutionStatus | None:
        try:
            status = (await client.get_workflow_handle(workflow_id).describe()).status
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return None
        return None if status == WorkflowExecutionStatus.RUNNING else status

    found = await until(closed, f"the end of {workflow_id}")
    assert isinstance(found, WorkflowExecutionStatus)
    return found


async def until_told_to_stop(client: Client, workflow_id: str) -> None:
    """Wait until a run has the signal in its history."""

    async def signaled() -> bool:
        return names.STOP_SIGNAL in [
            event.workflow_execution_signaled_event_attributes.signal_name
            async for history in executions(client, workflow_id)
            for event in history.events
        ]

    await until(signaled, f"a stop signal to {workflow_id}")
