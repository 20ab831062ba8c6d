"""Decisions that nobody takes in time."""

from temporalio import workflow

from spine_temporal.contracts import names
from spine_temporal.contracts.approval import ApprovalPolicy
from spine_temporal.contracts.status import ExpiryRecord
from spine_temporal.journal.entries import ApprovalExpired
from spine_temporal.journal.tool_calls import Call, Calls, Phase
from spine_temporal.payloads import pack
from spine_temporal.workflow.session import Session


def next_expiry_s(session: Session) -> float | None:
    """When the next decision is due, in Unix time; None: none is."""
    calls = session.progress.calls
    return calls.next_expiry_s() if calls is not None and not session.progress.over else None


def expire_due(session: Session) -> None:
    """Record each approval whose time is up; the record is in the history before anything acts on it."""
    calls, now_s = session.progress.calls, workflow.time()
    for index, call in enumerate(calls.items if calls is not None else ()):
        if calls is not None and call.phase is Phase.ASKED and call.expires_s is not None and call.expires_s <= now_s:
            _expire(session, calls, index, call, now_s)


def _expire(session: Session, calls: Calls, index: int, call: Call, now_s: float) -> None:
    policy = call.planned.approval or session.progress.approval or ApprovalPolicy()
    timeout_s = policy.timeout_s or 0.0
    error = f"nobody decided on call {call.planned.id!r} of {call.planned.name!r} within {timeout_s:g} s"
    basis = session.basis()
    record = ExpiryRecord(
        revision=basis.revision,
        order=basis.order,
        position=str(calls.position(index)),
        approved=policy.on_timeout == "approve",
        timeout_s=timeout_s,
        at_s=now_s,
        error=error if policy.on_timeout == "fail" else None,
    )
    session.record(ApprovalExpired(record))
    workflow.upsert_memo({names.EXPIRED_MEMO: pack(record)})
