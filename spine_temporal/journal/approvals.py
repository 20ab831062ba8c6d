"""Whether a decision is accepted."""

from typing import Any, Final

from spine_temporal.contracts.approval import DecideRequest, Decision, DecisionReceipt
from spine_temporal.contracts.run_id import Position
from spine_temporal.journal.counters import Progress
from spine_temporal.journal.tool_calls import Call, Calls

# The kernel's words (spine_core.agent): any other is a no.
_YES: Final = frozenset({"approve", "approved", "yes", "y", "true", "ok"})


class DecisionNotAccepted(Exception):
    """The decision is not accepted; the message says why."""


def says_yes(answer: Any) -> bool:
    """Whether `answer` approves, by the kernel's rules."""
    if isinstance(answer, str):
        return answer.strip().lower() in _YES
    return bool(answer)


def check_new_decision(progress: Progress, request: DecideRequest) -> DecisionReceipt:
    """What `request` decides, if nobody has accepted it yet; more is refused than of one that a history may hold.

    Raises:
        DecisionNotAccepted: it decides nothing, or may not, or may be meant for another call, or as another answer.
    """
    receipt, call = _checked(progress, request)
    calls, decision = progress.calls, request.decision
    at = calls.waiting_at() if calls is not None else None
    if request.named is None and calls is not None and at is not None and call is not calls.items[at]:
        raise DecisionNotAccepted(_asked_below(calls, at))
    if decision is not None and decision.has_value and "approve" not in decision.model_fields_set and not _asks(call):
        # Any value would be a yes.
        raise DecisionNotAccepted(f"tool {call.planned.name!r} asks for no value: approve the call, or reject it")
    return receipt


def check_decision(progress: Progress, request: DecideRequest) -> DecisionReceipt:
    """What `request` decides.

    Raises:
        DecisionNotAccepted: it decides nothing, or may not.
    """
    return _checked(progress, request)[0]


def _checked(progress: Progress, request: DecideRequest) -> tuple[DecisionReceipt, Call]:
    receipt, call = _decided(progress, request)
    decision = request.decision
    if decision is not None and decision.arguments is not None:
        _check_arguments(progress.calls, call, decision)
    return receipt, call


def _asks(call: Call) -> bool:
    """Whether its tool has asked a question while it ran."""
    return call.ask is not None and call.ask.mode == "manual"


def receipt_of(progress: Progress, request: DecideRequest) -> DecisionReceipt:
    """What `request` decides, for one that `check_decision` has let pass; the arguments are not checked again.

    Raises:
        DecisionNotAccepted: it decides nothing any more.
    """
    return _decided(progress, request)[0]


def _decided(progress: Progress, request: DecideRequest) -> tuple[DecisionReceipt, Call]:
    calls = progress.calls
    waiting = calls.decidable() if calls is not None else []
    if calls is None or progress.over or not waiting:
        raise DecisionNotAccepted(f"nothing waits for a decision{_late(progress, request.named)}")
    index = _which(progress, calls, request, waiting)
    call, decision = calls.items[index], request.decision
    digest = call.ask.digest if call.ask is not None else call.planned.digest
    if decision is not None and decision.digest is not None and decision.digest != digest:
        raise DecisionNotAccepted(
            f"call {call.planned.id!r} of {call.planned.name!r} has other arguments (digest {digest}) than the ones "
            f"that were decided on (digest {decision.digest}); look at them again"
        )
    approved = _asks(call) or (decision.approve if decision is not None else says_yes(request.answer))
    receipt = DecisionReceipt(
        position=str(Position(calls.step, index)),
        call_id=call.planned.id,
        tool=call.planned.name,
        approved=approved,
        digest=digest,
        status_number=progress.next_stop_number,
    )
    return receipt, call


def _asked_below(calls: Calls, at: int) -> str:
    planned, subagent = calls.items[at].planned, calls.items[at].subagent
    below = subagent.workflow_id if subagent is not None else ""
    return (
        f"it names no call, and the run is paused at call {planned.id!r} ({calls.position(at)}, {planned.name}), where "
        f"another agent asks: decide in its workflow {below!r}, or name a call: {_named(calls, calls.decidable())}"
    )


def _check_arguments(calls: Calls | None, call: Call, decision: Decision) -> None:
    tool = call.planned.name
    if _asks(call):
        raise DecisionNotAccepted(
            f"tool {tool!r} has asked a question while it ran: answer it with a value, not with arguments"
        )
    if not decision.approve:
        raise DecisionNotAccepted(f"a rejected call of {tool!r} does not run: it takes no arguments")
    # Few need it, and importing jsonschema takes a fifth as long as all of this package.
    from spine_temporal.journal.tool_schema import schema_error

    schemas = (each.planned.parameters for each in (calls.items if calls else ()) if each.planned.name == tool)
    parameters = next((schema for schema in schemas if schema is not None), {})
    wrong = schema_error(decision.arguments or {}, parameters)
    if wrong is not None:
        raise DecisionNotAccepted(f"the edited arguments do not fit tool {tool!r}: {wrong}")


def _which(progress: Progress, calls: Calls, request: DecideRequest, waiting: list[int]) -> int:
    name = request.named
    if name is None:
        at = calls.waiting_at()
        return at if at is not None and at in waiting else waiting[0]
    by_position = [at for at in waiting if request.call == str(calls.position(at))]
    by_id = [at for at in waiting if name == calls.items[at].planned.id]
    known = _named(calls, waiting)
    if by_position and by_id and by_position != by_id:
        raise DecisionNotAccepted(f"{name!r} is the position of one call, the id of another: {known}")
    found = by_position or by_id
    if request.call_id is not None:
        found = [at for at in found if calls.items[at].planned.id == request.call_id]
    if len(found) == 1:
        return found[0]
    if found:
        raise DecisionNotAccepted(f"{len(found)} calls have the id {name!r}; name one by its position: {known}")
    raise DecisionNotAccepted(f"no call {name!r} waits for a decision{_late(progress, name)}; waiting: {known}")


def _named(calls: Calls, indices: list[int]) -> str:
    found = ((calls.items[at].planned, calls.position(at)) for at in indices)
    return ", ".join(f"{planned.id!r} ({position}, {planned.name})" for planned, position in found)


def _late(progress: Progress, name: str | None) -> str:
    calls = progress.calls
    for at, call in enumerate(calls.items if calls is not None else ()):
        planned = call.planned
        if call.settled and calls is not None and name in (None, planned.id, str(calls.position(at))):
            return f": call {planned.id!r} of {planned.name!r} was {call.settled}"
    return ""
