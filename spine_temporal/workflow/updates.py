"""The updates that a conversation accepts: what the user says next, what a person decides."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, NoReturn

from pydantic_core import to_json
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from spine_temporal.contracts import names
from spine_temporal.contracts.approval import DecideRequest, DecisionReceipt
from spine_temporal.contracts.base import WireModel
from spine_temporal.contracts.limits import MAX_PAYLOAD_BYTES
from spine_temporal.contracts.run_id import entry_id
from spine_temporal.contracts.turn import TurnRequest, TurnTaken
from spine_temporal.journal.approvals import DecisionNotAccepted, check_decision, check_new_decision, receipt_of
from spine_temporal.journal.counters import receipt_in
from spine_temporal.journal.entries import Decided, Fact, TurnQueued
from spine_temporal.journal.progress import Progress
from spine_temporal.payloads import pack, unpack_given
from spine_temporal.workflow.session import Session

# Of a payload, as JSON: it has to fit into what one execution hands to the next, beside what else that carries.
_QUEUED: Final = 0.5
type Judge = Callable[[Progress, DecideRequest], DecisionReceipt]

_TURN_FORM: Final = '{"input": "..."}'
_DECIDE_FORM: Final = '{"call": "...", "answer": "approve"}'


def validate(session: Session, name: str, values: Sequence[RawValue]) -> None:
    """The validator of every update.

    Raises:
        ApplicationError: it is not accepted; nothing enters the history.
    """
    match name:
        case names.TURN_UPDATE:
            validate_turn(session, values)
        case names.DECIDE_UPDATE:
            validate_decision(session, values)
        case _:
            known = f"{names.TURN_UPDATE!r} and {names.DECIDE_UPDATE!r}"
            _refuse(names.BAD_REQUEST, f"a run of an agent has no update {name!r}; it has {known}")


def validate_turn(session: Session, values: Sequence[RawValue]) -> None:
    """The validator of `spine.turn`.

    Raises:
        ApplicationError: the turn is not accepted; nothing enters the history.
    """
    request = _read(TurnRequest, values, _TURN_FORM)
    if _known(session, TurnTaken) is not None:
        return
    agent = session.request.agent
    if request.agent not in (None, agent):
        _refuse(
            names.BAD_REQUEST,
            f"session {session.session_id!r} is open with agent {agent!r}, not with {request.agent!r}; "
            "stop it, or give the session another id",
        )
    if request.session_id not in (None, session.session_id):
        _refuse(
            names.BAD_REQUEST,
            f"workflow {workflow.info().workflow_id!r} is session {session.session_id!r}, not {request.session_id!r}: "
            "give the session another id, or the agent another workflow_id_prefix",
        )
    tenant_id = session.request.tenant_id if session.progress.spec is None else session.progress.tenant_id
    if tenant_id is not None and request.tenant_id not in (None, tenant_id):
        # Whose it is instead is none of that tenant's business.
        _refuse(
            names.BAD_REQUEST,
            f"session {session.session_id!r} does not belong to tenant {request.tenant_id!r}: "
            "give the session another id",
        )
    if session.request.parent is not None:
        _refuse(
            names.BAD_REQUEST,
            f"run {session.session_id!r} works for {session.request.parent.workflow_id!r}, which alone speaks to it",
        )
    _refuse_turn_of_team(session)
    expected = session.expected
    if not _busy(expected):
        return
    if request.on_busy == "reject" and request.run_id in (None, workflow.info().run_id):
        _refuse(names.SESSION_BUSY, f"session {session.session_id!r} is busy: {_doing(session)}")
    most = int(session.spec.payload_bytes * _QUEUED) if session.ready else MAX_PAYLOAD_BYTES // 2
    waiting = sum(len(to_json(queued.input)) for queued in expected.queue)
    if waiting + len(to_json(request.input)) > most:
        _refuse(
            names.SESSION_BUSY,
            f"session {session.session_id!r} is busy, and {len(expected.queue)} turns wait already with {waiting:,} "
            f"bytes of JSON of the {most:,} that may wait; try again when it has gone on",
        )


async def accept_turn(session: Session, values: Sequence[RawValue]) -> RawValue:
    """Put a turn into the queue."""
    if (known := _known(session, TurnTaken)) is not None:
        return pack(known)
    request, id_ = _read(TurnRequest, values, _TURN_FORM), _update_id()
    await _recordable(session, _queued(session.expected, request, id_))
    # It may have been accepted before anybody knew what the agent is.
    _refuse_turn_of_team(session)
    entry = _queued(session.progress, request, id_)
    session.record(entry)
    session.updates += 1
    return pack(entry.receipt)


def _queued(progress: Progress, request: TurnRequest, id_: str) -> TurnQueued:
    receipt = TurnTaken(turn=progress.last_turn + 1, waits=_busy(progress))
    return TurnQueued(entry_id(id_), id_, request.input, receipt, request.tokens_every_s, request.trace)


def validate_decision(session: Session, values: Sequence[RawValue]) -> None:
    """The validator of `spine.decide`.

    Raises:
        ApplicationError: the decision is not accepted; nothing enters the history.
    """
    request = _read(DecideRequest, values, _DECIDE_FORM)
    known = _known(session, DecisionReceipt)
    if known is not None:
        if request.named not in (None, known.call_id, known.position):
            _refuse(
                names.DECISION_REFUSED,
                f"session {session.session_id!r}: the id of this decision was used for call {known.call_id!r} "
                f"({known.position}); another call needs an id of its own",
            )
        return
    if session.ready:
        try:
            check_new_decision(session.expected, request)
        except DecisionNotAccepted as error:
            _refuse_decision(session, error)


async def accept_decision(session: Session, values: Sequence[RawValue]) -> RawValue:
    """Take a decision; the call it is on goes on, or is refused, as soon as its turn has come."""
    if (known := _known(session, DecisionReceipt)) is not None:
        return pack(known)
    request, id_ = _read(DecideRequest, values, _DECIDE_FORM), _update_id()
    # The validator has looked at the arguments, unless nothing was there to look at them with.
    judge, early = (receipt_of if session.ready else check_decision), None
    with suppress(DecisionNotAccepted):
        early = _decided(session.expected, request, id_, receipt_of)
    await _recordable(session, early)
    try:
        entry = _decided(session.progress, request, id_, judge)
    except DecisionNotAccepted as error:
        _refuse_decision(session, error)
    session.record(entry)
    session.updates += 1
    return pack(entry.receipt)


def _decided(progress: Progress, request: DecideRequest, id_: str, judge: Judge) -> Decided:
    by = request.decision.decided_by if request.decision is not None else None
    return Decided(entry_id(id_), id_, judge(progress, request), by)


def _refuse_turn_of_team(session: Session) -> None:
    if session.progress.spec is not None and session.spec.team is not None:
        _refuse(names.SESSION_BUSY, "a team works on one input at a time; wait for its result")


def _busy(progress: Progress) -> bool:
    return bool(progress.queue) or progress.status != "idle"


def _doing(session: Session) -> str:
    progress = session.progress
    doing = "is paused and waits for a decision" if progress.paused else "runs"
    waiting = f", {len(progress.queue)} more wait" if progress.queue else ""
    return f"turn {progress.turn} {doing}{waiting}"


def _update_id() -> str:
    info = workflow.current_update_info()
    return info.id if info is not None else ""


def _known[W: WireModel](session: Session, type_: type[W]) -> W | None:
    """The receipt that an update of that id got before, if it was one of this kind."""
    return receipt_in(session.progress, _update_id(), type_)


async def _recordable(session: Session, entry: Fact | None) -> None:
    """Wait until an update can be recorded: the conversation is there, and the signals of its task are recorded.

    What a reset applies again comes in the order in which it came; when it is replayed, the signals come first.
    Meanwhile others are judged as if `entry` were recorded.
    """
    accepted = [entry] if entry is not None else []
    session.accepted += accepted
    try:
        if not session.ready:
            await workflow.wait_condition(lambda: session.ready)
        await asyncio.sleep(0)
    finally:
        for each in accepted:
            session.accepted.remove(each)


def _read[W: WireModel](type_: type[W], values: Sequence[RawValue], form: str) -> W:
    try:
        return unpack_given(type_, values)
    except ValueError as error:
        _refuse(names.BAD_REQUEST, f"it takes one argument, {form}: {error}")


def _refuse_decision(session: Session, error: DecisionNotAccepted) -> NoReturn:
    _refuse(names.DECISION_REFUSED, f"session {session.session_id!r}: {error}")


def _refuse(type_: str, message: str) -> NoReturn:
    raise ApplicationError(message, type=type_, non_retryable=True) from None
