"""A tool call that waits for a person."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.pending import PendingCall, pending_calls


@dataclass(frozen=True, slots=True)
class Approval:
    """What a person needs to know to decide; had from `Run.pending`."""

    run: str
    """Session id of the run that asks: this one, or an agent's that works for it."""
    agent: str
    """Who asks."""
    position: str
    """ "step.index": which call of the run it is, always one of its own kind."""
    call_id: str
    """The model's id of the call; several calls of a run may have the same."""
    tool: str
    arguments: dict[str, Any]
    """As the hooks of `before_tool` left them, once it has asked."""
    digest: str
    """Of the arguments: `Decision(digest=...)` is refused if they are others by then."""
    mode: str
    """The kernel's: "approve" for a gated tool; "manual" for one that raised `Interrupt` and takes a value."""
    payload: Any
    """What `Result.interrupt` shows."""
    asked_at: datetime | None
    """None: the run is busy with a call before it; it may be decided all the same."""
    expires_at: datetime | None
    workflow_id: str
    """Where a decision on it is sent."""


def approvals_in(ledger: Ledger, workflow_id: str) -> list[Approval]:
    """The calls of that very run that wait, in the model's order."""
    return [_approval(ledger, each, workflow_id) for each in pending_calls(ledger)]


def _approval(ledger: Ledger, waiting: PendingCall, workflow_id: str) -> Approval:
    return Approval(
        run=ledger.state.session_id,
        agent=ledger.agent,
        position=waiting.position,
        call_id=waiting.call_id,
        tool=waiting.tool,
        arguments=waiting.arguments,
        digest=waiting.digest,
        mode=waiting.mode,
        payload=waiting.payload,
        asked_at=_time(waiting.asked_s),
        expires_at=_time(waiting.expires_s),
        workflow_id=workflow_id,
    )


def _time(unix_s: float | None) -> datetime | None:
    return datetime.fromtimestamp(unix_s, UTC) if unix_s is not None else None
