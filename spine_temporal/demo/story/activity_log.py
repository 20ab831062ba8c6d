"""The activities of a run, as its history records them."""

from dataclasses import dataclass
from typing import Any, Final

from temporalio.api.enums.v1 import EventType, TimeoutType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter

from spine_temporal.contracts.step import StepOutcome
from spine_temporal.contracts.tool_call import ToolOutcome
from spine_temporal.format import first_line
from spine_temporal.history.fold import Fold
from spine_temporal.history.payloads import at_s
from spine_temporal.journal.entries import Entry, StepDone, ToolDone
from spine_temporal.journal.ledger import Ledger

MODEL: Final = "model"
_HEARTBEAT: Final = TimeoutType.TIMEOUT_TYPE_HEARTBEAT


@dataclass(frozen=True, slots=True)
class CompletedActivity:
    """An activity that is completed: a call of the model, or of a tool."""

    id: str
    step: int
    name: str
    arguments: tuple[str, ...]
    outcome: str
    called: bool
    """The model or the tool was really called: not when the tool is unknown."""
    attempt: int
    """The attempt that completed it."""
    worker: str
    began_s: float
    """When that attempt began, in Unix time by the server's clock."""
    ended_s: float
    last_failure: str
    """How the attempt before it ended; empty: there was none."""
    heartbeat_missed: bool
    """It ended because its worker was not heard of."""


@dataclass(frozen=True, slots=True)
class _Started:
    attempt: int
    worker: str
    at_s: float
    last_failure: Failure


class ActivityLog:
    """Fed with a run's history event by event, in order."""

    def __init__(self, converter: DataConverter) -> None:
        self.last_s = 0.0
        """When the last event was recorded."""
        self.events = 0
        self._fold = Fold(converter, on_entry=self._note)
        self._entry: Entry | None = None
        self._calls: dict[int, tuple[str, str, tuple[str, ...]]] = {}
        self._started: dict[int, _Started] = {}
        self._task_worker = ""

    @property
    def ledger(self) -> Ledger:
        """What the history says of the run so far."""
        return self._fold.ledger

    async def feed(self, event: HistoryEvent) -> CompletedActivity | None:
        """The activity that `event` completes, if it does."""
        self.events += 1
        self.last_s, self._entry = at_s(event), None
        await self._fold.feed(event)
        match event.event_type:
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                id_ = event.activity_task_scheduled_event_attributes.activity_id
                self._calls[event.event_id] = (id_, *self.asked(id_))
            case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
                started = event.activity_task_started_event_attributes
                self._started[started.scheduled_event_id] = _Started(
                    started.attempt, started.identity, at_s(event), started.last_failure
                )
            case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                scheduled_id = event.activity_task_completed_event_attributes.scheduled_event_id
                return self._completed(event, self._calls.pop(scheduled_id), self._started.pop(scheduled_id))
            case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                self._task_worker = event.workflow_task_completed_event_attributes.identity
            case EventType.EVENT_TYPE_MARKER_RECORDED if isinstance(self._entry, ToolDone):
                # A local activity: it leaves no other event, and ran within the workflow task.
                id_ = f"{self._entry.step}.{self._entry.index}"
                there = _Started(1, self._task_worker, at_s(event), Failure())
                return self._completed(event, (id_, *self.asked(id_)), there)
        return None

    def asked(self, activity_id: str) -> tuple[str, tuple[str, ...]]:
        """Who is called by that activity, with which arguments in few characters."""
        _, _, index = activity_id.partition(".")
        if not index.isdecimal() or int(index) >= len(self.ledger.calls):
            return MODEL if activity_id.isdecimal() else activity_id, ()
        call = self.ledger.calls[int(index)].call
        return call.name, tuple(map(_short, call.arguments.values()))

    def _note(self, entry: Entry) -> None:
        self._entry = entry

    def _completed(
        self, event: HistoryEvent, call: tuple[str, str, tuple[str, ...]], started: _Started
    ) -> CompletedActivity:
        id_, name, arguments = call
        entry, (step, _, _) = self._entry, id_.partition(".")
        return CompletedActivity(
            id=id_,
            step=int(step) if step.isdecimal() else self.ledger.state.step,
            name=name,
            arguments=arguments,
            outcome=self._outcome(entry),
            called=_called(entry),
            attempt=started.attempt,
            worker=started.worker,
            began_s=started.at_s,
            ended_s=at_s(event),
            last_failure=started.last_failure.message,
            heartbeat_missed=started.last_failure.timeout_failure_info.timeout_type == _HEARTBEAT,
        )

    def _outcome(self, entry: Entry | None) -> str:
        match entry:
            case ToolDone(outcome=ToolOutcome() as outcome):
                return first_line(outcome.content)
            case StepDone(outcome=StepOutcome() as outcome) if outcome.errors:
                return first_line(outcome.errors[-1].error)
            case StepDone() if self.ledger.state.messages:
                answer = self.ledger.state.messages[-1]
                asked = "asks for " + ", ".join(call.name for call in answer.tool_calls) if answer.tool_calls else ""
                return first_line(answer.content or "") if answer.content else asked
        return ""


def _called(entry: Entry | None) -> bool:
    outcome = entry.outcome if isinstance(entry, StepDone | ToolDone) else None
    return isinstance(outcome, StepOutcome | ToolOutcome) and outcome.called


def _short(value: Any) -> str:
    return " ".join(str(value).split())
