"""Temporal's history events as entries of a run's journal."""

from collections.abc import Callable
from typing import Any, Final

from pydantic import ValidationError
from spine_core import StopReason
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.common import RawValue
from temporalio.converter import DataConverter

from spine_temporal.contracts import names
from spine_temporal.contracts.ending import Ending, EndInput, EndOutcome, RunOutcome
from spine_temporal.contracts.opening import AgentSpec, RunRequest
from spine_temporal.contracts.step import StepInput, StepOutcome
from spine_temporal.contracts.tool import ToolInput, ToolOutcome
from spine_temporal.contracts.wire import Wire, load
from spine_temporal.errors import BadInput, NotAnAgentRun
from spine_temporal.journal.entries import (
    Closed,
    EndBegun,
    EndDone,
    Entry,
    Opened,
    Requested,
    StepBegun,
    StepDone,
    ToolBegun,
    ToolDone,
)
from spine_temporal.journal.progress import trip

_LOCAL_ACTIVITY_MARKER: Final = "core_local_activity"

_AT_HEAD: Final = frozenset({names.STEP_ACTIVITY, names.TOOL_ACTIVITY, names.END_ACTIVITY})

type _Done = Callable[[bytes], Entry]


class _AtHead(Wire):
    head: str


class Reader:
    """Reads the events of one workflow execution, in order."""

    def __init__(self, converter: DataConverter) -> None:
        self._converter = converter
        self._request: RunRequest | None = None
        self._session_id = ""
        self._running: dict[int, _Done] = {}

    async def read(self, event: HistoryEvent) -> Entry | None:
        """The entry that `event` is, or None for the many events that are Temporal's own business."""
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
                return await self._started(event)
            case EventType.EVENT_TYPE_MARKER_RECORDED:
                return await self._marker(event)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                return await self._scheduled(event)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                completed = event.activity_task_completed_event_attributes
                done = self._running.pop(completed.scheduled_event_id, None)
                return done(await self._bytes(completed.result)) if done else None
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
                result = event.workflow_execution_completed_event_attributes.result
                return Closed(_ending(await self._load(RunOutcome, result)))
            case _:
                ending = broken_off(event)
                return Closed(ending) if ending else None

    async def _started(self, event: HistoryEvent) -> Entry:
        started = event.workflow_execution_started_event_attributes
        if started.workflow_type.name != names.AGENT_WORKFLOW:
            raise NotAnAgentRun(
                f"workflow {started.workflow_id!r} is a {started.workflow_type.name!r}, not a run of an agent "
                f"({names.AGENT_WORKFLOW!r})"
            )
        try:
            self._request = await self._load(RunRequest, started.input)
        except ValidationError as error:
            raise BadInput(
                f'run {started.workflow_id!r} was not started with {{"agent": "...", "input": "..."}}: {error}'
            ) from error
        self._session_id = self._request.session_id or started.workflow_id
        return Requested(self._request, self._session_id)

    async def _marker(self, event: HistoryEvent) -> Entry | None:
        marker = event.marker_recorded_event_attributes
        if marker.marker_name != _LOCAL_ACTIVITY_MARKER or "result" not in marker.details or self._request is None:
            return None
        spec = await self._load(AgentSpec, marker.details["result"])
        return Opened(self._request, self._session_id, spec)

    async def _scheduled(self, event: HistoryEvent) -> Entry | None:
        scheduled = event.activity_task_scheduled_event_attributes
        data = await self._bytes(scheduled.input)
        begun, done = _begun(scheduled.activity_type.name, data)
        if done is not None:
            self._running[event.event_id] = done
        return begun

    async def _load[W: Wire](self, type_: type[W], payloads: Payloads) -> W:
        return load(type_, await self._bytes(payloads))

    async def _bytes(self, payloads: Payloads) -> bytes:
        return await payload_bytes(payloads, self._converter)


async def payload_bytes(payloads: Payloads, converter: DataConverter) -> bytes:
    """The JSON in the first payload, decoded by the client's codec."""
    if not payloads.payloads:
        return b"{}"
    payload: Payload = payloads.payloads[0]
    if converter.payload_codec is None and converter.external_storage is None:
        return payload.data
    values: list[Any] = await converter.decode([payload], [RawValue])
    return bytes(values[0].payload.data)


async def head_of(event: HistoryEvent, converter: DataConverter) -> str | None:
    """The head that an activity of ours was scheduled at; None: the event schedules none."""
    if not event.HasField("activity_task_scheduled_event_attributes"):
        return None
    scheduled = event.activity_task_scheduled_event_attributes
    if scheduled.activity_type.name not in _AT_HEAD:
        return None
    return load(_AtHead, await payload_bytes(scheduled.input, converter)).head


def broken_off(event: HistoryEvent) -> Ending | None:
    """The ending of a run whose workflow was closed from outside, or failed; None: the event is no such close."""
    match event.event_type:
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
            return trip(StopReason.CANCELLED)
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
            reason = event.workflow_execution_terminated_event_attributes.reason or "no reason given"
            return Ending(reason=StopReason.ERROR, error=f"the run was terminated: {reason}")
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
            return Ending(reason=StopReason.ERROR, error="the run's workflow reached its timeout")
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
            failure = event.workflow_execution_failed_event_attributes.failure
            return Ending(reason=StopReason.ERROR, error=failure.message)
        case _:
            return None


def _ending(outcome: RunOutcome) -> Ending:
    event = "" if outcome.reason is StopReason.ERROR else "guard_trip"
    return Ending(reason=outcome.reason, answer=outcome.answer, error=outcome.error, event=event)


def _begun(activity: str, data: bytes) -> tuple[Entry | None, _Done | None]:
    match activity:
        case names.STEP_ACTIVITY:
            return StepBegun(load(StepInput, data)), lambda result: StepDone(load(StepOutcome, result))
        case names.TOOL_ACTIVITY:
            task = load(ToolInput, data)
            return ToolBegun(task), lambda result: ToolDone(task.index, load(ToolOutcome, result))
        case names.END_ACTIVITY:
            return EndBegun(load(EndInput, data)), lambda result: EndDone(load(EndOutcome, result))
    return None, None
