"""What a tool call goes on with, once a person or another agent has answered it."""

from dataclasses import dataclass
from typing import Any

from spine_temporal.activities.state_copy import stringify
from spine_temporal.contracts.approval import ApprovalTimeout, DecideRequest
from spine_temporal.contracts.subagent import SubagentOutcome
from spine_temporal.contracts.tool_call import AFTER_CHILD, ToolInput
from spine_temporal.journal.approvals import says_yes
from spine_temporal.journal.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Resumption:
    """The answer that a call had waited for."""

    verdict: str = ""
    """approved, rejected, answered; empty: another agent did the work."""
    content: str = ""
    """What the model is told, when the tool does not run."""
    arguments: dict[str, Any] | None = None
    """A person's, in the place of the model's."""
    child: SubagentOutcome | None = None
    child_input: str = ""


def resumption(ledger: Ledger, task: ToolInput) -> Resumption | None:
    """What the call of `task` goes on with; None: it begins.

    Raises:
        LookupError: the history does not hold what the task names.
    """
    if task.after is None:
        return None
    index, call = task.index, ledger.calls[task.index]
    if task.after == AFTER_CHILD:
        child = ledger.children[f"{task.step}.{index}"]
        return Resumption(child=ledger.returned[index], child_input=child.input)
    manual = index in ledger.asks and ledger.asks[index].mode == "manual"
    if task.expiry is not None:
        return _expired(call.name, task.expiry, manual=manual)
    request = ledger.requests[task.after]
    if manual:
        return Resumption("answered", stringify(_answer(request)))
    decision = request.decision
    approved = decision.approve if decision else says_yes(request.answer)
    if approved:
        return Resumption("approved", arguments=decision.arguments if decision else None)
    said = request.answer if decision is None else decision.reason or False
    return Resumption("rejected", f"Tool '{call.name}' was rejected by human: {said!r}")


def _answer(request: DecideRequest) -> Any:
    decision = request.decision
    if decision is None:
        return request.answer
    return (
        decision.value
        if decision.value is not None
        else decision.reason or ("approve" if decision.approve else "reject")
    )


def _expired(name: str, expiry: ApprovalTimeout, *, manual: bool) -> Resumption:
    if not expiry.approved:
        why = f"Tool '{name}' was rejected: nobody decided within {expiry.timeout_s:g} s"
        return Resumption("answered" if manual else "rejected", why)
    return Resumption("answered", "approve") if manual else Resumption("approved")
