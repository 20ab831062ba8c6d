"""Which calls wait for a person."""

from dataclasses import dataclass
from typing import Any

from spine_temporal.journal.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Waiting:
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


def waiting_in(ledger: Ledger) -> list[Waiting]:
    """The calls of the run itself that wait, in the model's order; those of its children are in theirs."""
    batch = ledger.progress.batch
    if batch is None or (ledger.progress.ending is not None and not ledger.progress.paused):
        return []
    return [_waiting(ledger, index) for index in batch.open() if index < len(ledger.calls)]


def _waiting(ledger: Ledger, index: int) -> Waiting:
    call, batch = ledger.calls[index], ledger.progress.batch
    planned = batch.calls[index] if batch else None
    ask = ledger.asks.get(index) if batch and index in batch.asks else None
    policy = (planned.approval if planned else None) or ledger.approval
    asked_s = ledger.asked_s.get(index) if ask else None
    timeout_s = policy.timeout_s if policy else None
    return Waiting(
        position=f"{ledger.progress.step}.{index}",
        call_id=call.id,
        tool=call.name,
        arguments=ask.arguments if ask else call.arguments,
        digest=ask.digest if ask else planned.digest if planned else "",
        mode=ask.mode if ask else "approve",
        payload=ask.payload if ask else {"tool": call.name, "arguments": call.arguments},
        asked_s=asked_s,
        expires_s=asked_s + timeout_s if asked_s is not None and timeout_s is not None else None,
    )
