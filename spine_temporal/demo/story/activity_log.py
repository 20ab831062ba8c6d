"""The activities of a run, as its history records them."""

from dataclasses import dataclass
from typing import Any, Final

from temporalio.api.enums.v1 import EventType, TimeoutType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter

from spine_temporal.format import first_line
from spine_temporal.history.event_reader import Reader
from spine_temporal.journal.apply import apply
from spine_temporal.journal.entries import Entry, StepDone, ToolDone
from spine_temporal.journal.ledger import Ledger

MODEL: Final = "model"
_HEARTBEAT: Final = TimeoutType.TIMEOUT_TYPE_HEARTBEAT


@dataclass(frozen=True, slots=True)
class Deed:
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
class _Begun:
    attempt: int
    worker: str
    at_s: float
    last_failure: Failure


class Deeds:
    """Fed with a run's history event by event, in order."""

    def __init__(self, converter: DataConverter) -> None:
        self.ledger = Ledger()
        self.started_s = 0.0
        """When the run was started."""
        self.last_s = 0.0
        """When the last event was recorded."""
        self.events = 0
        self._reader = Reader(converter)
        self._calls: dict[int, tuple[str, str, tuple[str, ...]]] = {}
        self._begun: dict[int, _Begun] = {}

    async def feed(self, event: HistoryEvent) -> Deed | None:
        """The deed that `event` completes, if it does."""
        self.events += 1
        self.last_s = _time_s(event)
        entry = await self._reader.read(event)
        if entry is not None:
            self.ledger, _ = apply(self.ledger, entry)
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
                self.started_s = _time_s(event)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                id_ = event.activity_task_scheduled_event_attributes.activity_id
                self._calls[event.event_id] = (id_, *self.asked(id_))
            case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
                begun = event.activity_task_started_event_attributes
                self._begun[begun.scheduled_event_id] = _Begun(
                    begun.attempt, begun.identity, _time_s(event), begun.last_failure
                )
            case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                return self._completed(event, entry)
        return None

    def asked(self, activity_id: str) -> tuple[str, tuple[str, ...]]:
        """Who is called by that activity, with which arguments in few characters."""
        _, _, index = activity_id.partition(".")
        if not index.isdecimal() or int(index) >= len(self.ledger.calls):
            return MODEL if activity_id.isdecimal() else activity_id, ()
        call = self.ledger.calls[int(index)]
        return call.name, tuple(map(_short, call.arguments.values()))

    def _completed(self, event: HistoryEvent, entry: Entry | None) -> Deed:
        scheduled_id = event.activity_task_completed_event_attributes.scheduled_event_id
        id_, name, arguments = self._calls.pop(scheduled_id)
        begun = self._begun.pop(scheduled_id)
        step, _, _ = id_.partition(".")
        return Deed(
            id=id_,
            step=int(step) if step.isdecimal() else self.ledger.state.step,
            name=name,
            arguments=arguments,
            outcome=self._told(entry),
            called=entry.outcome.called if isinstance(entry, StepDone | ToolDone) else False,
            attempt=begun.attempt,
            worker=begun.worker,
            began_s=begun.at_s,
            ended_s=_time_s(event),
            last_failure=begun.last_failure.message,
            heartbeat_missed=begun.last_failure.timeout_failure_info.timeout_type == _HEARTBEAT,
        )

    def _told(self, entry: Entry | None) -> str:
        match entry:
            case ToolDone(outcome=outcome):
                return first_line(outcome.content)
            case StepDone(outcome=outcome) if outcome.errors:
                return first_line(outcome.errors[-1].error)
            case StepDone() if self.ledger.state.messages:
                said = self.ledger.state.messages[-1]
                asked = "asks for " + ", ".join(call.name for call in said.tool_calls) if said.tool_calls else ""
                return first_line(said.content or "") if said.content else asked
        return ""


def _short(value: Any) -> str:
    return " ".join(str(value).split())


def _time_s(event: HistoryEvent) -> float:
    return event.event_time.ToNanoseconds() / 1e9
