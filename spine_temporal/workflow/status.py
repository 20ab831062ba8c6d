"""The status of a conversation, published to everybody who may want to know."""

from typing import Any, Final

from pydantic_core import to_json
from temporalio import workflow
from temporalio.exceptions import FailureError

from spine_temporal.contracts import names
from spine_temporal.contracts.run_end import Ending
from spine_temporal.contracts.status import Status, StatusRecord
from spine_temporal.contracts.subagent import SubagentStatus
from spine_temporal.journal.entries import StatusChanged
from spine_temporal.journal.next_move import Pause, next_move
from spine_temporal.journal.replacing import replace
from spine_temporal.journal.tool_calls import Phase
from spine_temporal.payloads import pack
from spine_temporal.workflow.current_details import show
from spine_temporal.workflow.search_attributes import set_attributes
from spine_temporal.workflow.session import Session

# What a parent carries of each paused subagent, from execution to execution.
_MAX_INTERRUPT_BYTES: Final = 50_000


def publish_status(
    session: Session, status: Status, *, turn: int | None = None, ending: Ending | None = None, at: int | None = None
) -> None:
    """Write the status into the workflow's memo, which is also how its history holds it."""
    progress, basis = session.progress, session.basis()
    begins = turn is not None and turn > progress.turn
    record = StatusRecord(
        revision=basis.revision,
        order=basis.order,
        agent=session.request.agent,
        session_id=session.session_id,
        status=status,
        turn=turn or progress.turn,
        number=progress.status_number + 1,
        ending=ending,
        at=at,
        at_s=workflow.time(),
        worked_s=0.0 if begins else session.elapsed_s(),
        **(_waiting(session) if status == "paused" else {}),
    )
    session.record(StatusChanged(record))
    show(session)
    _write(session, record)
    _report(session, status, at)


def report_pause(session: Session) -> None:
    """Tell the parent once more what the run is paused at: one that was reset since has not heard of it."""
    progress = session.progress
    move = next_move(replace(progress, ending=None), elapsed_s=0.0) if progress.status == "paused" else None
    if isinstance(move, Pause):
        _report(session, "paused", None if session.spec.team is not None else move.index)


def _report(session: Session, status: Status, at: int | None) -> None:
    parent = session.request.parent
    if parent is None:
        return
    interrupt = _small(asked_of_people(session, at)) if status == "paused" else None
    number = session.progress.status_number
    report = SubagentStatus(position=parent.position, status=status, number=number, interrupt=interrupt)
    session.send(tell_parent(parent.workflow_id, report))


def republish_status(session: Session) -> None:
    """Write it once more in an execution that continues another one: lists show the last execution only."""
    progress = session.progress
    record = StatusRecord(
        agent=session.request.agent,
        session_id=session.session_id,
        status=progress.status,
        turn=progress.turn,
        number=progress.status_number,
        **(_waiting(session) if progress.status == "paused" else {}),
    )
    _write(session, record)


def asked_of_people(session: Session, at: int | None) -> object:
    """What is asked of a person at that call, by itself or by the agent that works on it."""
    calls = session.progress.calls
    call = calls.items[0 if at is None else at] if calls is not None else None
    if call is None:
        return None
    if call.subagent is not None:
        return call.subagent.interrupt
    return call.ask.payload if call.ask is not None else None


def _waiting(session: Session) -> dict[str, Any]:
    calls = session.progress.calls
    if calls is None:
        return {}
    asked_s = [call.ask.asked_s for call in calls.items if call.phase is Phase.ASKED and call.ask is not None]
    return {"asks": len(calls.decidable()), "asked_s": min(asked_s, default=0.0)}


async def tell_parent(workflow_id: str, report: SubagentStatus) -> None:
    """Signal the parent, in whichever execution it is by now; one that is gone need not know."""
    try:
        await workflow.get_external_workflow_handle(workflow_id).signal(names.CHILD_SIGNAL, pack(report))
    except FailureError as error:
        workflow.logger.info("could not report the status to parent %s: %s", workflow_id, error)


def _write(session: Session, record: StatusRecord) -> None:
    workflow.upsert_memo({names.STATUS_MEMO: pack(record)})
    set_attributes(session)


def _small(interrupt: object) -> object:
    return (
        interrupt if len(to_json(interrupt, inf_nan_mode="constants", fallback=str)) <= _MAX_INTERRUPT_BYTES else None
    )
