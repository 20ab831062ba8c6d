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


def check_decision(progress: Progress, request: DecideRequest) -> DecisionReceipt:
    """What `request` decides.

    Raises:
        DecisionNotAccepted: it decides nothing, or may not.
    """
    receipt, call = _decided(progress, request)
    decision = request.decision
    if decision is not None and decision.arguments is not None:
        _check_arguments(progress.calls, call, decision)
    return receipt


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
    manual = call.ask is not None and call.ask.mode == "manual"
    approved = manual or (decision.approve if decision is not None else says_yes(request.answer))
    receipt = DecisionReceipt(
        position=str(Position(calls.step, index)),
        call_id=call.planned.id,
        tool=call.planned.name,
        approved=approved,
        digest=digest,
        status_number=progress.next_stop_number,
    )
    return receipt, call


def _check_arguments(calls: Calls | None, call: Call, decision: Decision) -> None:
    tool = call.planned.name
    if call.ask is not None and call.ask.mode == "manual":
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
    known = ", ".join(
        f"{calls.items[at].planned.id!r} ({calls.position(at)}, {calls.items[at].planned.name})" for at in waiting
    )
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


def _late(progress: Progress, name: str | None) -> str:
    calls = progress.calls
    for at, call in enumerate(calls.items if calls is not None else ()):
        planned = call.planned
        if call.settled and calls is not None and name in (None, planned.id, str(calls.position(at))):
            return f": call {planned.id!r} of {planned.name!r} was {call.settled}"
    return ""
