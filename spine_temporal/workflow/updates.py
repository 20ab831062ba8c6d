"""The updates that a conversation takes: what the user says next, what a person decides."""

from typing import Any, Final

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from spine_temporal.contracts import names
from spine_temporal.contracts.approval import DecideRequest, DecisionReceipt
from spine_temporal.contracts.base import WireModel
from spine_temporal.contracts.turn import QueuedTurn, TurnRequest, TurnTaken
from spine_temporal.journal.approvals import Refused, judged
from spine_temporal.journal.calls import settled_as
from spine_temporal.payloads import pack, unpack
from spine_temporal.workflow.session import Conversation

# It has to fit into what one execution hands to the next.
MAX_QUEUE_BYTES: Final = 1_000_000


def check_turn(conversation: Conversation, value: RawValue) -> None:
    """The validator of `spine.turn`.

    Raises:
        ApplicationError: the turn is not taken; nothing enters the history.
    """
    request = _read(TurnRequest, value, '{"input": "..."}')
    if _known(conversation, TurnTaken) is not None:
        return
    agent = conversation.request.agent
    if request.agent not in (None, agent):
        raise _refusal(
            names.BAD_REQUEST,
            f"session {conversation.session_id!r} is open with agent {agent!r}, not with {request.agent!r}; "
            "stop it, or give the session another id",
        )
    if conversation.opened and conversation.spec.team is not None:
        raise _refusal(names.SESSION_BUSY, "a team works on one input at a time; wait for its result")
    if not _busy(conversation):
        return
    if request.on_busy == "reject":
        raise _refusal(names.SESSION_BUSY, f"session {conversation.session_id!r} is busy: {_doing(conversation)}")
    waiting = sum(len(queued.input.encode()) for queued in conversation.queue)
    if waiting + len(request.input.encode()) > MAX_QUEUE_BYTES:
        raise _refusal(
            names.SESSION_BUSY,
            f"session {conversation.session_id!r} is busy, and {len(conversation.queue)} turns wait already with "
            f"{waiting:,} bytes of the {MAX_QUEUE_BYTES:,} that may wait; try again when it has gone on",
        )


async def take_turn(conversation: Conversation, value: RawValue) -> RawValue:
    """Take a turn into the queue."""
    if (known := _known(conversation, TurnTaken)) is not None:
        return pack(known)
    await _opened(conversation)
    conversation.turns += 1
    taken = TurnTaken(turn=conversation.turns, waits=_busy(conversation))
    conversation.queue.append(QueuedTurn(turn=taken.turn, input=unpack(TurnRequest, value).input))
    return _answered(conversation, taken)


def check_decision(conversation: Conversation, value: RawValue) -> None:
    """The validator of `spine.decide`.

    Raises:
        ApplicationError: the decision is not taken; nothing enters the history.
    """
    request = _read(DecideRequest, value, '{"call": "...", "answer": "approve"}')
    if conversation.opened and _known(conversation, DecisionReceipt) is None:
        _judged(conversation, request)


async def take_decision(conversation: Conversation, value: RawValue) -> RawValue:
    """Take a decision; the call it is on goes on, or is refused, as soon as its turn has come."""
    if (known := _known(conversation, DecisionReceipt)) is not None:
        return pack(known)
    await _opened(conversation)
    request = unpack(DecideRequest, value)
    index, verdict, decided = _judged(conversation, request)
    batch = conversation.progress.batch
    if batch is not None:
        settled = settled_as(batch, index, decided, request)
        conversation.progress = conversation.progress.with_batch(batch.with_verdict(index, verdict, settled))
    conversation.deadlines.pop(decided.position, None)
    standings = conversation.progress.standings + conversation.standings_due
    return _answered(conversation, decided.model_copy(update={"standings": standings}))


def _judged(conversation: Conversation, request: DecideRequest) -> tuple[int, Any, DecisionReceipt]:
    try:
        return judged(conversation.progress, request, _update_id())
    except Refused as refused:
        raise _refusal(names.DECISION_REFUSED, f"session {conversation.session_id!r}: {refused}") from None


def _busy(conversation: Conversation) -> bool:
    return bool(conversation.queue) or conversation.idle_since_s is None


def _doing(conversation: Conversation) -> str:
    turn = conversation.progress.turn
    doing = "is paused and waits for a decision" if conversation.progress.paused else "runs"
    return f"turn {turn} {doing}" + (f", {len(conversation.queue)} more wait" if conversation.queue else "")


def _update_id() -> str:
    info = workflow.current_update_info()
    return info.id if info is not None else ""


def _known[W: WireModel](conversation: Conversation, type_: type[W]) -> W | None:
    """What an update of that id was answered before, if it was one of this kind."""
    try:
        return type_.model_validate(conversation.answered[_update_id()])
    except (KeyError, ValidationError):
        return None


async def _opened(conversation: Conversation) -> None:
    if not conversation.opened:
        # Else nothing is awaited: of two updates in one task, the second is judged by what the first has changed.
        await workflow.wait_condition(lambda: conversation.opened)


def _answered(conversation: Conversation, result: WireModel) -> RawValue:
    conversation.remember(_update_id(), result.model_dump(mode="json", exclude_defaults=True))
    conversation.updates += 1
    conversation.changed()
    return pack(result)


def _read[W: WireModel](type_: type[W], value: RawValue, form: str) -> W:
    try:
        return unpack(type_, value)
    except ValidationError as error:
        raise _refusal(names.BAD_REQUEST, f"it takes {form}: {error}") from None


def _refusal(type_: str, message: str) -> ApplicationError:
    return ApplicationError(message, type=type_, non_retryable=True)
