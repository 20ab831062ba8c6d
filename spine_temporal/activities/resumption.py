"""What a tool call goes on with, once a person, the clock or another agent has answered it."""

from typing import Any, NamedTuple

from spine_temporal.activities.state_copy import stringify
from spine_temporal.contracts.approval import DecideRequest
from spine_temporal.contracts.subagent import SubagentOutcome
from spine_temporal.contracts.tool_call import ToolInput
from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.tool_calls import CallDecision


class Resumption(NamedTuple):
    """The answer that a call had waited for."""

    decision: str = ""
    """approved, rejected, answered; empty: another agent did the work."""
    content: str = ""
    """What the model reads, when the tool does not run."""
    arguments: dict[str, Any] | None = None
    """A person's, in the place of the model's."""
    returned: SubagentOutcome | None = None
    subagent_input: str = ""


def resumption(ledger: Ledger, task: ToolInput) -> Resumption | None:
    """What the call of `task` goes on with; None: it begins.

    Raises:
        ValueError: the ledger is none from which the call goes on.
    """
    if not task.resumed:
        return None
    content, calls = ledger.calls[task.index], ledger.progress.calls
    call = calls.items[task.index] if calls is not None else None
    if content.returned is not None and call is not None and call.decision is None:
        return Resumption(
            returned=content.returned, subagent_input=content.delegation.input if content.delegation else ""
        )
    if call is None or call.decision is None:
        raise ValueError(f"call {task.step}.{task.index} goes on, but nothing was decided of it")
    manual = call.ask is not None and call.ask.mode == "manual"
    if call.decision.expired_after_s is not None:
        return _expired(content.call.name, call.decision, call.decision.expired_after_s, manual=manual)
    request = ledger.requests[call.decision.id]
    if manual:
        return Resumption("answered", stringify(_answer(request)))
    decision = request.decision
    if call.decision.approved:
        return Resumption("approved", arguments=decision.arguments if decision else None)
    reason = request.answer if decision is None else decision.reason or False
    return Resumption("rejected", f"Tool '{content.call.name}' was rejected by human: {reason!r}")


def _answer(request: DecideRequest) -> Any:
    decision = request.decision
    if decision is None:
        return request.answer
    if decision.has_value:
        return decision.value
    return decision.reason or ("approve" if decision.approve else "reject")


def _expired(name: str, decision: CallDecision, timeout_s: float, *, manual: bool) -> Resumption:
    if not decision.approved:
        why = f"Tool '{name}' was rejected: nobody decided within {timeout_s:g} s"
        return Resumption("answered" if manual else "rejected", why)
    return Resumption("answered", "approve") if manual else Resumption("approved")
