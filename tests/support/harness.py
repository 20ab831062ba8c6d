"""How the suite runs an agent durably."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final, Self

import pytest
from spine_core import Agent, Result, State
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from spine_temporal import AgentWorker, DurableAgent, Run, SpinePlugin
from spine_temporal.contracts.turn import OnBusy
from spine_temporal.history.fold import Fold
from spine_temporal.workflow.agent import AgentWorkflow


@dataclass(frozen=True)
class Mode:
    """A way to run a worker that must make no difference."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)


NORMAL: Final = Mode("normal")
NO_CACHES: Final = Mode("no_caches", {"cache_bytes": 0, "max_cached_workflows": 0})
MODES: Final = (NORMAL, NO_CACHES)
ONE_CACHE: Final = (
    Mode("no_state_cache", {"cache_bytes": 0}),
    Mode("no_workflow_cache", {"max_cached_workflows": 0}),
)

# For what takes long, and where the caches make no difference.
ONLY_NORMAL: Final = pytest.mark.parametrize("mode", [NORMAL], ids=["normal"], indirect=True)


class Served(DurableAgent):
    """A durable agent whose worker starts with its first run."""

    def __init__(
        self, durable: "Durable", agent: Agent, options: dict[str, Any], client_options: dict[str, Any]
    ) -> None:
        self.worker = AgentWorker(
            durable.client,
            agents={"agent": agent},
            task_queue=f"test-{uuid.uuid4().hex}",
            **(durable.mode.options | options),
        )
        self.runs: list[Run] = []
        self._durable = durable
        self._up = False
        super().__init__("agent", durable.client, task_queue=self.worker.task_queue, **client_options)

    async def up(self) -> None:
        if not self._up:
            self._up = True
            await self._durable.enter(self.worker)

    async def _start(
        self, input: str, session_id: str | None, *, stop: bool, on_busy: OnBusy, tokens: bool = False
    ) -> Run:
        await self.up()
        run = await super()._start(input, session_id, stop=stop, on_busy=on_busy, tokens=tokens)
        self.runs.append(run)
        return run


class Durable:
    """Serves agents in one mode; `check` holds every run against its history."""

    def __init__(self, client: Client, mode: Mode) -> None:
        self.client = client
        self.mode = mode
        self._served: list[Served] = []
        self._stack = AsyncExitStack()

    def __call__(self, agent: Agent, *, client_options: dict[str, Any] | None = None, **options: Any) -> Served:
        """`client_options` go to the DurableAgent, the others to the AgentWorker."""
        served = Served(self, agent, options, client_options or {})
        self._served.append(served)
        return served

    async def enter(self, worker: AgentWorker) -> None:
        await self._stack.enter_async_context(worker)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, type_: type[BaseException] | None, *_: object) -> None:
        async with self._stack:
            if type_ is None:
                await self._check()

    async def _check(self) -> None:
        for served in self._served:
            for run in served.runs:
                await check_run(self.client, served.worker, run)


async def check_run(client: Client, worker: AgentWorker, run: Run) -> None:
    """The fold of a run is the run, its history replays; also of each execution that it continued in."""
    for history in await histories_of(client, run):
        await replay(history)
        fold, at_revision = Fold(client.data_converter), defaultdict[str, list[State]](list)
        for event in history.events:
            await fold.feed(event)
            for ledger in (fold.ledger, fold.ordered.settled):
                at_revision[ledger.progress.revision].append(ledger.state)
        kept = worker.plugin.activities_of_agents.cache.peek((run.workflow_id, history.run_id))
        # What was in flight when a run was closed from outside may be in the worker's memory, it is not in the history.
        if kept is not None and history.events[-1].event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
            known = at_revision.get(kept.progress.revision, [kept.state])
            # In words, too: no NaN equals another.
            assert kept.state in known or repr(kept.state) in map(repr, known)


async def histories_of(client: Client, run: Run) -> list[WorkflowHistory]:
    """The history of the execution that the run began in, and of those that continue it."""
    histories, run_id = list[WorkflowHistory](), run.run_id
    while run_id is not None or not histories:
        history = await client.get_workflow_handle(run.workflow_id, run_id=run_id).fetch_history()
        histories.append(history)
        last = history.events[-1].workflow_execution_continued_as_new_event_attributes
        run_id = last.new_execution_run_id or None
    return histories


async def history_of(client: Client, run: Run) -> WorkflowHistory:
    return await client.get_workflow_handle(run.workflow_id, run_id=run.run_id).fetch_history()


async def replay(history: WorkflowHistory, converter: DataConverter = DataConverter.default) -> None:
    # The worker ran it in the sandbox; in there, replaying it again takes five times as long. Nothing blocks here that
    # did not block in the worker, which looks for deadlocks; an interrupted replay could hang its worker for ever.
    replayer = Replayer(
        workflows=[AgentWorkflow],
        workflow_runner=UnsandboxedWorkflowRunner(),
        data_converter=converter,
        debug_mode=True,
    )
    await replayer.replay_workflow(history)


async def replay_in_sandbox(
    history: WorkflowHistory, workflows: Sequence[type] = (), converter: DataConverter = DataConverter.default
) -> None:
    """Replay a history as a user's own gate does, with the plugin."""
    replayer = Replayer(workflows=workflows, plugins=[SpinePlugin([])], data_converter=converter, debug_mode=True)
    await replayer.replay_workflow(history)


def activities_in(history: WorkflowHistory) -> list[str]:
    """The names of the activities that were scheduled, in order."""
    return [
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]


def told(result: Result) -> list[tuple[str, int, dict[str, Any]]]:
    """The trace as what parity compares: type, step, data, in order."""
    return [(str(event.type), event.step, event.data) for event in result.trace]


def assert_same(durable: Result, kernel: Result) -> None:
    """Two Results of one conversation are equal in every field; only session ids and clocks may differ."""
    ours = durable.model_dump(mode="json", exclude={"trace": True, "state": {"session_id"}})
    theirs = kernel.model_dump(mode="json", exclude={"trace": True, "state": {"session_id"}})
    assert (ours.pop("resume_token") is None) == (theirs.pop("resume_token") is None)
    # In words, too: no NaN equals another.
    assert ours == theirs or repr(ours) == repr(theirs)
    assert told(durable) == told(kernel) or repr(told(durable)) == repr(told(kernel))
    assert [event.seq for event in durable.trace] == list(range(len(durable.trace)))
