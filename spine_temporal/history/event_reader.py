"""Temporal's history events as entries of a run's journal."""

import base64
import zlib
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
from spine_temporal.contracts.approval import DecideRequest, DecisionReceipt
from spine_temporal.contracts.base import WireModel, load
from spine_temporal.contracts.continuation import Restored, RestoreInput
from spine_temporal.contracts.run_end import Ending, EndInput, EndOutcome, RunOutcome
from spine_temporal.contracts.run_request import AgentSpec, RunRequest
from spine_temporal.contracts.step import StepInput, StepOutcome
from spine_temporal.contracts.subagent import SubagentOutcome, SubagentStatus, WatchInput
from spine_temporal.contracts.tool_call import ToolInput, ToolOutcome
from spine_temporal.contracts.turn import StatusRecord, TurnRequest, TurnTaken
from spine_temporal.errors import BadInput, NotAnAgentRun
from spine_temporal.history.closures import broken_off, lost_child
from spine_temporal.history.times import at_s
from spine_temporal.journal.calls import outcome_of
from spine_temporal.journal.entries import (
    Closed,
    ConversationRestored,
    Decided,
    EndBegun,
    EndDone,
    Entry,
    Opened,
    Requested,
    SpecRefreshed,
    StatusChanged,
    StepBegun,
    StepDone,
    SubagentDone,
    SubagentStarted,
    SubagentStatusChanged,
    ToolBegun,
    ToolDone,
    TurnQueued,
)
from spine_temporal.journal.progress import gone_on
from spine_temporal.journal.snapshot import load_ledger

_LOCAL_ACTIVITY_MARKER: Final = "core_local_activity"

type _Done = Callable[[bytes, float], Entry | None]


class _Identified(WireModel):
    id: str | None = None


class MissedItsBeginning(LookupError):
    """An activity that had begun before the first event that was read is done."""


class Reader:
    """Reads the events of one workflow execution, in order; then of the one that continues it.

    `midway`: it begins somewhere within.
    """

    def __init__(self, converter: DataConverter, *, midway: bool = False) -> None:
        self._converter = converter
        self._request: RunRequest | None = None
        self._session_id = ""
        self._opened = self._midway = midway
        self._running: dict[int, _Done] = {}
        self._updates: dict[str, tuple[str, bytes]] = {}
        self._parts: list[Restored] = []

    async def read(self, event: HistoryEvent) -> Entry | None:
        """The entry that `event` is, or None for the many events that are Temporal's own business.

        Raises:
            MissedItsBeginning: it tells the end of something whose beginning was not read.
        """
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
                if done is None and self._midway:
                    raise MissedItsBeginning(f"activity {completed.scheduled_event_id} began before")
                return done(await self._bytes(completed.result), at_s(event)) if done else None
            case EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED:
                memo = event.workflow_properties_modified_event_attributes.upserted_memo.fields
                written = memo.get(names.STANDING_MEMO)
                return StatusChanged(await self._load(StatusRecord, Payloads(payloads=[written]))) if written else None
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
                result = event.workflow_execution_completed_event_attributes.result
                outcome = await self._load(RunOutcome, result)
                return Closed(_ending(outcome), outcome.result_of)
            case _:
                return await self._from_outside(event)

    async def _from_outside(self, event: HistoryEvent) -> Entry | None:
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
                accepted = event.workflow_execution_update_accepted_event_attributes.accepted_request
                self._updates[accepted.meta.update_id] = (accepted.input.name, await self._bytes(accepted.input.args))
                return None
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
                return await self._updated(event)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
                signaled = event.workflow_execution_signaled_event_attributes
                told = await self._lenient(SubagentStatus, signaled.input, signaled.signal_name == names.CHILD_SIGNAL)
                return SubagentStatusChanged(told) if told is not None else None
        if self._begins_child(event) or event.HasField("child_workflow_execution_completed_event_attributes"):
            return await self._child(event)
        lost = lost_child(event)
        if lost is not None:
            return SubagentDone(_position(lost[0]), SubagentOutcome(error=lost[1]))
        ending = broken_off(event)
        return Closed(ending) if ending else None

    async def _updated(self, event: HistoryEvent) -> Entry | None:
        completed = event.workflow_execution_update_completed_event_attributes
        name, data = self._updates.pop(completed.meta.update_id, ("", b""))
        if not completed.outcome.HasField("success"):
            return None
        result = await self._bytes(completed.outcome.success)
        if name == names.TURN_UPDATE:
            return TurnQueued(load(TurnTaken, result).turn, load(TurnRequest, data).input)
        if name == names.DECIDE_UPDATE:
            request, decided = load(DecideRequest, data), load(DecisionReceipt, result)
            return Decided(completed.meta.update_id, request, decided, at_s(event))
        return None

    def _begins_child(self, event: HistoryEvent) -> bool:
        begun = event.start_child_workflow_execution_initiated_event_attributes
        return begun.workflow_type.name == names.AGENT_WORKFLOW

    async def _child(self, event: HistoryEvent) -> Entry | None:
        if self._begins_child(event):
            begun = event.start_child_workflow_execution_initiated_event_attributes
            request = await self._load(RunRequest, begun.input)
            position = _position(begun.workflow_id)
            return SubagentStarted(position, begun.workflow_id, request.agent, request.input or "")
        completed = event.child_workflow_execution_completed_event_attributes
        outcome = await self._load(RunOutcome, completed.result)
        return SubagentDone(_position(completed.workflow_execution.workflow_id), outcome_of(outcome))

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
        # An execution that continues another one begins anew with its numbers.
        self._running.clear()
        self._midway = False
        self._opened = self._request.carried is not None
        self._session_id = self._request.session_id or started.workflow_id
        return Requested(self._request, self._session_id)

    async def _marker(self, event: HistoryEvent) -> Entry | None:
        marker = event.marker_recorded_event_attributes
        if marker.marker_name != _LOCAL_ACTIVITY_MARKER or "result" not in marker.details:
            return None
        spec = await self._load(AgentSpec, marker.details["result"])
        if self._opened or self._request is None:
            return SpecRefreshed(spec)
        self._opened = True
        return Opened(self._request, self._session_id, spec)

    async def _scheduled(self, event: HistoryEvent) -> Entry | None:
        scheduled = event.activity_task_scheduled_event_attributes
        data = await self._bytes(scheduled.input)
        begun, done = self._begun(scheduled.activity_type.name, data, at_s(event))
        self._running[event.event_id] = done
        return begun

    def _begun(self, activity: str, data: bytes, began_s: float) -> tuple[Entry | None, _Done]:
        match activity:
            case names.STEP_ACTIVITY:
                return StepBegun(load(StepInput, data)), lambda result, _: StepDone(load(StepOutcome, result))
            case names.TOOL_ACTIVITY:
                task = load(ToolInput, data)
                return ToolBegun(task, began_s), lambda result, done_s: ToolDone(
                    task.index, load(ToolOutcome, result), done_s
                )
            case names.END_ACTIVITY:
                return EndBegun(load(EndInput, data)), lambda result, _: EndDone(load(EndOutcome, result))
            case names.RESTORE_ACTIVITY:
                same = load(RestoreInput, data).same
                return None, lambda result, _: self._restored(load(Restored, result), same=same)
            case names.WATCH_ACTIVITY:
                position = load(WatchInput, data).position
                return None, lambda result, _: SubagentDone(position, load(SubagentOutcome, result))
        return None, lambda _, __: None

    def _restored(self, part: Restored, *, same: bool) -> Entry | None:
        self._parts.append(part)
        first = self._parts[0]
        if len(self._parts) < first.parts:
            return None
        text = "".join(each.ledger for each in self._parts)
        self._parts = []
        if first.progress is None:
            return ConversationRestored(first.id, None)
        data = zlib.decompress(base64.b64decode(text)) if first.packed else text.encode()
        return ConversationRestored(first.id, load_ledger(data), same=same)

    async def _lenient[W: WireModel](self, type_: type[W], payloads: Payloads, wanted: bool) -> W | None:  # noqa: FBT001
        try:
            return await self._load(type_, payloads) if wanted else None
        except ValidationError:
            # Anybody may signal anything; the workflow has passed over it, too.
            return None

    async def _load[W: WireModel](self, type_: type[W], payloads: Payloads) -> W:
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


async def made_by(event: HistoryEvent, converter: DataConverter) -> str | None:
    """What the event moves the head of a run by, as `Progress.last` names it; None: nothing."""
    if event.HasField("activity_task_completed_event_attributes"):
        data = await payload_bytes(event.activity_task_completed_event_attributes.result, converter)
        return load(_Identified, data).id
    if event.HasField("workflow_properties_modified_event_attributes"):
        memo = event.workflow_properties_modified_event_attributes.upserted_memo.fields
        if names.STANDING_MEMO not in memo:
            return None
        data = await payload_bytes(Payloads(payloads=[memo[names.STANDING_MEMO]]), converter)
        return f"standing {load(StatusRecord, data).number}"
    if event.HasField("activity_task_scheduled_event_attributes"):
        scheduled = event.activity_task_scheduled_event_attributes
        if scheduled.activity_type.name != names.TOOL_ACTIVITY:
            return None
        task = load(ToolInput, await payload_bytes(scheduled.input, converter))
        return gone_on(task.step, task.index, task.after) if task.after is not None else None
    return None


def _ending(outcome: RunOutcome) -> Ending:
    # The last member of a team has told how it ended.
    event = "" if outcome.reason is StopReason.ERROR or outcome.result_of else "guard_trip"
    return Ending(reason=outcome.reason, answer=outcome.answer, error=outcome.error, event=event)


def _position(workflow_id: str) -> str:
    """The call that a child works on: the last part of its workflow id."""
    return workflow_id.rpartition("/")[2]
