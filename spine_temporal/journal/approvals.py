"""Whether a decision is taken."""

from typing import Any, Final

from spine_temporal.contracts.approval import DecideRequest, DecisionReceipt
from spine_temporal.journal.batch import Batch, Verdict
from spine_temporal.journal.progress import Progress
from spine_temporal.journal.tool_schema import schema_error

# The kernel's words (spine_core.agent): anything else that is said is a no.
_YES: Final = frozenset({"approve", "approved", "yes", "y", "true", "ok"})


class Refused(Exception):
    """The decision is not taken; the message says why."""


def says_yes(answer: Any) -> bool:
    """Whether `answer` approves, by the kernel's rules."""
    if isinstance(answer, str):
        return answer.strip().lower() in _YES
    return bool(answer)


def judged(progress: Progress, request: DecideRequest, id_: str) -> tuple[int, Verdict, DecisionReceipt]:
    """Which call `request` decides, and how.

    Raises:
        Refused: it decides none, or may not.
    """
    batch = progress.batch
    if batch is None or (progress.ending is not None and not progress.paused) or not (waiting := batch.open()):
        raise Refused(f"nothing waits for a decision{_late(progress, request.call)}")
    index = _which(progress, batch, request.call, waiting)
    call, ask, decision = batch.calls[index], batch.asks.get(index), request.decision
    asked = ask.asks if ask is not None else None
    digest = asked.digest if asked is not None else call.digest
    manual = asked is not None and asked.mode == "manual"
    if decision is not None:
        if decision.digest is not None and decision.digest != digest:
            raise Refused(
                f"call {call.id!r} of {call.name!r} has other arguments (digest {digest}) than the ones that were "
                f"decided on (digest {decision.digest}); look at them again"
            )
        if decision.arguments is not None:
            _fits(call.name, decision.arguments, call.parameters, approve=decision.approve, manual=manual)
    approved = manual or (decision.approve if decision is not None else says_yes(request.answer))
    decided = DecisionReceipt(
        position=f"{progress.step}.{index}", call_id=call.id, tool=call.name, approved=approved, digest=digest
    )
    return index, Verdict(id_, approved, digest), decided


def _fits(
    tool: str, arguments: dict[str, Any], parameters: dict[str, Any] | None, *, approve: bool, manual: bool
) -> None:
    if manual:
        raise Refused(f"tool {tool!r} has asked a question while it ran: answer it with a value, not with arguments")
    if not approve:
        raise Refused(f"a rejected call of {tool!r} does not run: it takes no arguments")
    wrong = schema_error(arguments, parameters or {})
    if wrong is not None:
        raise Refused(f"the edited arguments do not fit tool {tool!r}: {wrong}")


def _which(progress: Progress, batch: Batch, call: str | None, waiting: list[int]) -> int:
    if call is None:
        at = batch.stands_at()
        return at if at is not None and at in waiting else waiting[0]
    found = [index for index in waiting if call == f"{progress.step}.{index}"]
    found = found or [index for index in waiting if call == batch.calls[index].id]
    if len(found) == 1:
        return found[0]
    known = ", ".join(
        f"{batch.calls[index].id!r} ({progress.step}.{index}, {batch.calls[index].name})" for index in waiting
    )
    if found:
        raise Refused(f"{len(found)} calls have the id {call!r}; name one by its position: {known}")
    raise Refused(f"no call {call!r} waits for a decision{_late(progress, call)}; waiting: {known}")


def _late(progress: Progress, call: str | None) -> str:
    batch = progress.batch
    if batch is None:
        return ""
    for index, settled in batch.settled.items():
        known = batch.calls[index]
        if call is None or call in (known.id, f"{progress.step}.{index}"):
            return f": call {known.id!r} of {known.name!r} was {settled}"
    return ""
