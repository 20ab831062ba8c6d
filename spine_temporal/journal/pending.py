"""Which calls wait for a person."""

from dataclasses import dataclass
from typing import Any

from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.tool_calls import Phase


@dataclass(frozen=True, slots=True)
class PendingCall:
    """A call that a person may decide; times are Unix times."""

    position: str
    call_id: str
    tool: str
    arguments: dict[str, Any]
    digest: str
    mode: str
    payload: Any
    asked_s: float | None
    """None: its turn has not come; it may be decided all the same."""
    expires_s: float | None


def pending_calls(ledger: Ledger) -> list[PendingCall]:
    """The calls of the run itself that wait, in the model's order; those of its subagents are in theirs."""
    calls = ledger.progress.calls
    if calls is None or ledger.progress.over:
        return []
    return [_pending(ledger, index) for index in calls.decidable() if index < len(ledger.calls)]


def _pending(ledger: Ledger, index: int) -> PendingCall:
    content = ledger.calls[index]
    assert ledger.progress.calls is not None  # noqa: S101 - the caller has looked
    call = ledger.progress.calls.items[index]
    request = content.request if call.phase is Phase.ASKED else None
    arguments = request.arguments if request else content.call.arguments
    return PendingCall(
        position=str(ledger.progress.calls.position(index)),
        call_id=content.call.id,
        tool=content.call.name,
        arguments=arguments,
        digest=request.digest if request else call.planned.digest,
        mode=request.mode if request else "approve",
        payload=request.payload if request else {"tool": content.call.name, "arguments": arguments},
        asked_s=request.asked_s if request else None,
        expires_s=call.expires_s if request else None,
    )
