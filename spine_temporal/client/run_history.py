"""A run's history read once, for whoever lists or describes the run."""

import contextlib
from dataclasses import dataclass, field
from typing import Final

from spine_core import StopReason
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, HistoryEventFilterType, TimeoutType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import Client

from spine_temporal.contracts.subagent import SubagentOutcome
from spine_temporal.errors import RunNotFound, ServerUnreachable, SpineTemporalError
from spine_temporal.format import shortened
from spine_temporal.history.event_reader import EventReader
from spine_temporal.history.fold import Fold
from spine_temporal.history.follow import first_event, follow
from spine_temporal.history.payloads import at_s
from spine_temporal.journal.entries import Closed, Entry, Requested, SubagentDone, SubagentStatusChanged
from spine_temporal.journal.ledger import Ledger, SubagentRecord, subagents_of

_WIDEST_PROBLEM: Final = 300
_CLOSING: Final = HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
_BROKEN_OFF: Final = TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE


@dataclass(slots=True)
class RunHistory:
    """One execution of a run as far as it was read, fed event by event."""

    fold: Fold
    worked_s: float = 0.0
    """Seconds in which the run was at work: it waited neither for a person nor for its next turn."""
    last_event_s: float = 0.0
    """When the last event was recorded, in Unix time."""
    failed_task: HistoryEvent | None = None
    """The workflow task that failed, or did not end in time, since a worker last completed one."""
    children: dict[str, SubagentRecord] = field(default_factory=dict)
    """The agents that worked for the run, by the call's position: a ledger forgets those of the steps before."""
    outcomes: dict[str, SubagentOutcome] = field(default_factory=dict)
    """What came of them."""
    first_input: str | None = None
    """The user's input of the execution that this one continues, if it is one that continues another."""
    complete: bool = False
    """It was read to its end."""
    problem: str = ""
    """Why it could not be read; empty: it could."""
    _closed: Closed | None = None

    def __post_init__(self) -> None:
        self.fold.on_entry = self.note

    @property
    def ledger(self) -> Ledger:
        """What the history says of the run."""
        return self.fold.ledger

    @property
    def input(self) -> str:
        """The user's first input."""
        request = self.fold.request
        return self.first_input or (request.input if request is not None else None) or ""

    @property
    def reason(self) -> StopReason | None:
        """Why the last turn stopped, in the kernel's words; None: it goes on, or nobody knows."""
        ending = self._closed.ending if self._closed is not None else self.ledger.progress.ending
        return ending.reason if ending is not None else None

    @property
    def working(self) -> bool:
        """Whether it was at work when the last event was recorded; a run that no worker has begun on is not."""
        ledger = self.ledger
        return (
            ledger.progress.opened
            and ledger.progress.ending is None
            and not self.fold.closed
            and self.failed_task is None
        )

    async def feed(self, event: HistoryEvent) -> None:
        """Add one event."""
        now_s = at_s(event)
        if self.working:
            self.worked_s += now_s - self.last_event_s
        self.last_event_s = now_s
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                self.failed_task = self.failed_task or event
            case EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
                # One that no worker had begun says nothing of the workers.
                if event.workflow_task_timed_out_event_attributes.timeout_type == _BROKEN_OFF:
                    self.failed_task = self.failed_task or event
            case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                self.failed_task = None
        await self.fold.feed(event)
        self.children.update({each.position: each for each in subagents_of(self.ledger)})

    def note(self, entry: Entry) -> None:
        """Keep what the ledger does not of an entry."""
        match entry:
            case Closed():
                self._closed = entry
            case SubagentDone(position, outcome):
                self.outcomes[str(position)] = outcome
            case SubagentStatusChanged(_, status) if status.outcome is not None:
                self.outcomes[status.position] = status.outcome


def problem_of(error: Exception) -> str:
    """Why a history cannot be read, in one line."""
    text = str(error) if isinstance(error, SpineTemporalError) else f"{type(error).__name__}: {error}"
    return shortened(text, _WIDEST_PROBLEM)


async def read_history(client: Client, workflow_id: str, run_id: str, *, most_events: int | None = None) -> RunHistory:
    """The history of an execution; of one with more than `most_events` the beginning, and how it closed.

    What cannot be read of it is named in `problem`: a list shows such a run with what is known of it otherwise.

    Raises:
        RunNotFound: it was deleted, or its retention has ended.
        ServerUnreachable: the server was away for more than five minutes.
    """
    history = RunHistory(Fold(client.data_converter))
    try:
        await _read(client, history, workflow_id, run_id, most_events)
    except (RunNotFound, ServerUnreachable):
        raise
    except Exception as error:  # noqa: BLE001 - written by hand and wrong, or a codec that raises what it likes
        history.problem = problem_of(error)
    return history


async def _read(client: Client, history: RunHistory, workflow_id: str, run_id: str, most_events: int | None) -> None:
    read = 0
    async for event in follow(client, workflow_id, run_id, wait=False):
        if read == most_events:
            await _read_close(client, history, workflow_id, run_id)
            break
        await history.feed(event)
        read += 1
    else:
        history.complete = True
    request = history.fold.request
    if request is not None and request.carried is not None:
        history.first_input = await _first_input(client, workflow_id, run_id)


async def _read_close(client: Client, history: RunHistory, workflow_id: str, run_id: str) -> None:
    request = GetWorkflowExecutionHistoryRequest(
        namespace=client.namespace,
        execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
        maximum_page_size=1,
        history_event_filter_type=_CLOSING,
    )
    answer = await client.workflow_service.get_workflow_execution_history(request)
    for event in answer.history.events:
        entry = await EventReader(client.data_converter).read(event)
        if entry is not None:
            history.note(entry)


async def _first_input(client: Client, workflow_id: str, run_id: str) -> str | None:
    """The user's input of the first of the executions that continue each other, while the server keeps it."""
    started = (await first_event(client, workflow_id, run_id)).workflow_execution_started_event_attributes
    with contextlib.suppress(RunNotFound):
        event = await first_event(client, workflow_id, started.first_execution_run_id)
        entry = await EventReader(client.data_converter).read(event)
        if isinstance(entry, Requested):
            return entry.request.input
    return None
