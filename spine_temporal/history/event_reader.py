"""Temporal's history events as entries of a run's journal."""

import json
from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

from pydantic import ValidationError
from spine_core import StopReason
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1 import EventType, StartChildWorkflowExecutionFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.common import RawValue
from temporalio.converter import DataConverter

from spine_temporal.contracts import names
from spine_temporal.contracts.approval import DecideRequest, DecisionReceipt
from spine_temporal.contracts.base import WireModel, load
from spine_temporal.contracts.run_end import Ending, RunOutcome
from spine_temporal.contracts.run_id import Position, entry_id
from spine_temporal.contracts.run_request import AgentSpec, RunRequest
from spine_temporal.contracts.status import ExpiryRecord, StatusRecord
from spine_temporal.contracts.tool_call import ToolOutcome
from spine_temporal.contracts.turn import TurnRequest, TurnTaken
from spine_temporal.errors import BadInput, NotAnAgentRun
from spine_temporal.history.activity_entries import ActivityEntries
from spine_temporal.history.closures import WITHOUT_OUTCOME, ending_of_close, subagent_close
from spine_temporal.history.payloads import at_s, payload_bytes
from spine_temporal.journal.entries import (
    ApprovalExpired,
    Closed,
    ContinuedAsNew,
    Decided,
    Entry,
    Opened,
    Requested,
    SpecRefreshed,
    StatusChanged,
    SubagentDone,
    SubagentStarted,
    ToolDone,
    TurnQueued,
)
from spine_temporal.journal.signals import signaled
from spine_temporal.journal.subagents import subagent_outcome
from spine_temporal.payloads import unpack_given

_LOCAL_ACTIVITY_MARKER: Final = "core_local_activity"
_ALREADY_EXISTS: Final = (
    StartChildWorkflowExecutionFailedCause.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS
)
_SPEC_ACTIVITIES: Final = frozenset({names.OPEN_ACTIVITY, names.SPEC_ACTIVITY})


class MissedItsBeginning(LookupError):
    """An activity, an update or a subagent that had begun before the first event that was read has ended."""


class EventReader:
    """Reads the events of one workflow execution, in order; then of the one that continues it.

    `midway`: it begins somewhere within.
    """

    def __init__(self, converter: DataConverter, *, midway: bool = False) -> None:
        self._converter = converter
        self._midway = midway
        self._request: RunRequest | None = None
        self._session_id = ""
        self._opened = midway
        self._activities = ActivityEntries()
        self._updates: dict[str, tuple[str, bytes]] = {}
        self._children: dict[int, tuple[Position, str]] = {}
        self._signals = 0

    async def read(self, event: HistoryEvent) -> Entry | None:
        """The entry that `event` is, or None for the many events that are Temporal's own business.

        Raises:
            MissedItsBeginning: it is the end of something whose beginning was not read.
        """
        handler = self._HANDLERS.get(event.event_type)
        return await handler(self, event) if handler is not None else None

    async def _started(self, event: HistoryEvent) -> Entry:
        started = event.workflow_execution_started_event_attributes
        if started.workflow_type.name != names.AGENT_WORKFLOW:
            raise NotAnAgentRun(
                f"workflow {started.workflow_id!r} is a {started.workflow_type.name!r}, not a run of an agent "
                f"({names.AGENT_WORKFLOW!r})"
            )
        try:
            request = await self._load(RunRequest, started.input)
        except ValidationError as error:
            raise BadInput(
                f'run {started.workflow_id!r} was not started with {{"agent": "...", "input": "..."}}: {error}'
            ) from error
        # An execution that continues another one counts anew.
        self.__init__(self._converter)  # type: ignore[misc]
        self._request = request
        self._opened = request.carried is not None
        self._session_id = request.session_id or started.workflow_id
        return Requested(request, self._session_id, at_s(event), started.first_execution_run_id)

    async def _marker(self, event: HistoryEvent) -> Entry | None:
        marker = event.marker_recorded_event_attributes
        if marker.marker_name != _LOCAL_ACTIVITY_MARKER or "result" not in marker.details:
            return None
        # What the SDK's core writes of a local activity beside its result; not by the client's converter.
        local = json.loads(marker.details["data"].payloads[0].data)
        if local["activity_type"] == names.TOOL_ACTIVITY:
            at = Position.parse(str(local["activity_id"]))
            outcome = await self._load(ToolOutcome, marker.details["result"])
            return ToolDone(at.step, at.index, outcome, local=True) if at is not None else None
        if local["activity_type"] not in _SPEC_ACTIVITIES:
            return None
        id_, spec = str(local["activity_id"]), await self._load(AgentSpec, marker.details["result"])
        if self._opened or self._request is None:
            return SpecRefreshed(id_, spec)
        self._opened = True
        return Opened(id_, spec, at_s(event), self._request.input, self._request.origin is not None)

    async def _scheduled(self, event: HistoryEvent) -> Entry | None:
        scheduled = event.activity_task_scheduled_event_attributes
        data = await self._bytes(scheduled.input)
        return self._activities.begun(event.event_id, scheduled.activity_type.name, data, at_s(event))

    async def _completed(self, event: HistoryEvent) -> Entry | None:
        completed = event.activity_task_completed_event_attributes
        if not self._activities.runs(completed.scheduled_event_id):
            if self._midway:
                raise MissedItsBeginning(f"activity {completed.scheduled_event_id} began before")
            return None
        return self._activities.done(completed.scheduled_event_id, await self._bytes(completed.result))

    async def _memo(self, event: HistoryEvent) -> Entry | None:
        memo = event.workflow_properties_modified_event_attributes.upserted_memo.fields
        if (written := memo.get(names.STATUS_MEMO)) is not None:
            record = await self._load(StatusRecord, Payloads(payloads=[written]))
            # One that repeats the last, for lists that show the latest execution only, is no change.
            return StatusChanged(record) if record.at_s else None
        if (written := memo.get(names.EXPIRED_MEMO)) is not None:
            return ApprovalExpired(await self._load(ExpiryRecord, Payloads(payloads=[written])))
        return None

    async def _admitted(self, event: HistoryEvent) -> None:
        request = event.workflow_execution_update_admitted_event_attributes.request
        self._updates[request.meta.update_id] = (request.input.name, await self._bytes(request.input.args))

    async def _accepted(self, event: HistoryEvent) -> None:
        accepted = event.workflow_execution_update_accepted_event_attributes.accepted_request
        # After a reset the request stands in the event that admitted it again.
        if accepted.meta.update_id:
            self._updates[accepted.meta.update_id] = (accepted.input.name, await self._bytes(accepted.input.args))

    async def _updated(self, event: HistoryEvent) -> Entry | None:
        completed = event.workflow_execution_update_completed_event_attributes
        id_ = completed.meta.update_id
        found = self._updates.pop(id_, None)
        if found is None and self._midway:
            raise MissedItsBeginning(f"update {id_} was accepted before")
        name, data = found or ("", b"")
        if not completed.outcome.HasField("success"):
            return None
        result = await self._bytes(completed.outcome.success)
        if name == names.TURN_UPDATE:
            receipt = load(TurnTaken, result)
            turn = load(TurnRequest, data)
            return TurnQueued(entry_id(id_), id_, turn.input, receipt, turn.tokens_every_s, turn.trace)
        if name == names.DECIDE_UPDATE:
            request = load(DecideRequest, data)
            by = request.decision.decided_by if request.decision else None
            return Decided(entry_id(id_), id_, load(DecisionReceipt, result), by, request, at_s(event))
        return None

    async def _signaled(self, event: HistoryEvent) -> Entry | None:
        sent = event.workflow_execution_signaled_event_attributes
        values = await self._values(sent.input)
        try:
            # As strictly as the workflow reads it: what that ignores must be ignored here.
            made = signaled(sent.signal_name, lambda type_: unpack_given(type_, values))
        except ValueError:
            # Anybody may signal anything; the workflow has passed over it, too.
            return None
        if made is None:
            return None
        if self._midway:
            raise MissedItsBeginning("the signals before this one were not read")
        self._signals += 1
        return made(f"signal {self._signals}")

    async def _child_initiated(self, event: HistoryEvent) -> None:
        begun = event.start_child_workflow_execution_initiated_event_attributes
        if begun.workflow_type.name != names.AGENT_WORKFLOW:
            return
        request = await self._load(RunRequest, begun.input)
        position = Position.parse(request.parent.position) if request.parent is not None else None
        if position is not None:
            self._children[event.event_id] = (position, begun.workflow_id)

    async def _child_started(self, event: HistoryEvent) -> Entry | None:
        started = event.child_workflow_execution_started_event_attributes
        return self._started_child(started.initiated_event_id)

    async def _child_exists(self, event: HistoryEvent) -> Entry | None:
        failed = event.start_child_workflow_execution_failed_event_attributes
        # A reset took this workflow back to before the start; whether the other one is its own, a look will say.
        return self._started_child(failed.initiated_event_id) if failed.cause == _ALREADY_EXISTS else None

    def _started_child(self, initiated: int) -> Entry | None:
        found = self._child(initiated)
        return SubagentStarted(*found) if found is not None else None

    async def _child_completed(self, event: HistoryEvent) -> Entry | None:
        completed = event.child_workflow_execution_completed_event_attributes
        found = self._child(completed.initiated_event_id)
        if found is None:
            return None
        return SubagentDone(found[0], subagent_outcome(await self._load(RunOutcome, completed.result)))

    async def _child_failed(self, event: HistoryEvent) -> Entry | None:
        initiated, outcome = await subagent_close(event, self._converter)
        found = self._child(initiated)
        return SubagentDone(found[0], outcome) if found is not None else None

    def _child(self, initiated: int) -> tuple[Position, str] | None:
        if initiated not in self._children and self._midway:
            raise MissedItsBeginning(f"subagent {initiated} was started before")
        return self._children.get(initiated)

    async def _completed_run(self, event: HistoryEvent) -> Entry:
        result = event.workflow_execution_completed_event_attributes.result
        outcome = await self._load(RunOutcome, result)
        return Closed(_ending(outcome), outcome.result_of)

    async def _closed(self, event: HistoryEvent) -> Entry | None:
        ending = await ending_of_close(event, self._converter)
        return Closed(ending) if ending is not None else None

    async def _continued(self, event: HistoryEvent) -> Entry | None:
        request = await self._load(RunRequest, event.workflow_execution_continued_as_new_event_attributes.input)
        return ContinuedAsNew(request.carried) if request.carried is not None else None

    async def _values(self, payloads: Payloads) -> list[RawValue]:
        if self._converter.payload_codec is None and self._converter.external_storage is None:
            return [RawValue(each) for each in payloads.payloads]
        return [
            RawValue(Payload(data=await payload_bytes(Payloads(payloads=[each]), self._converter)))
            for each in payloads.payloads
        ]

    async def _load[W: WireModel](self, type_: type[W], payloads: Payloads) -> W:
        return load(type_, await self._bytes(payloads))

    async def _bytes(self, payloads: Payloads) -> bytes:
        return await payload_bytes(payloads, self._converter)

    _HANDLERS: ClassVar[dict[int, Callable[["EventReader", HistoryEvent], Awaitable[Entry | None]]]] = {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: _started,
        EventType.EVENT_TYPE_MARKER_RECORDED: _marker,
        EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: _scheduled,
        EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: _completed,
        EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED: _memo,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED: _admitted,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: _accepted,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: _updated,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: _signaled,
        EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: _child_initiated,
        EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED: _child_exists,
        EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: _child_started,
        EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED: _child_completed,
        EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED: _child_failed,
        EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED: _child_failed,
        EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED: _child_failed,
        EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT: _child_failed,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: _completed_run,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: _continued,
        **dict.fromkeys(WITHOUT_OUTCOME, _closed),
    }


def _ending(outcome: RunOutcome) -> Ending:
    # The last member of a team has its own trace.
    event = "" if outcome.reason is StopReason.ERROR or outcome.result_of else "guard_trip"
    return Ending(reason=outcome.reason, answer=outcome.answer, error=outcome.error, event=event)
