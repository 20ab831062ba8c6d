"""Decisions that nobody makes in time."""

from spine_core import StopReason
from temporalio import workflow

from spine_temporal.contracts.approval import ApprovalTimeout
from spine_temporal.contracts.run_end import Ending
from spine_temporal.contracts.tool_call import AFTER_EXPIRY
from spine_temporal.journal.batch import Verdict
from spine_temporal.journal.calls import position_of
from spine_temporal.workflow.session import Conversation


def set_deadline(conversation: Conversation, index: int) -> None:
    """The call waits for a person from now on, unless somebody decided before it asked."""
    policy, batch = conversation.approval_of(index), conversation.progress.batch
    if policy.timeout_s is not None and batch is not None and batch.is_open(index):
        conversation.deadlines[f"{conversation.progress.step}.{index}"] = workflow.time() + policy.timeout_s


def next_deadline_s(conversation: Conversation) -> float | None:
    """When the next decision is due, as Unix time; None: none is."""
    return min(conversation.deadlines.values(), default=None)


def expire(conversation: Conversation) -> None:
    """Carry out what was agreed on for the calls whose time is up."""
    progress = conversation.progress
    for position, due_s in sorted(conversation.deadlines.items()):
        if due_s > workflow.time() or progress.batch is None:
            continue
        del conversation.deadlines[position]
        (step, index), batch = position_of(position), progress.batch
        if step != progress.step or index not in batch.asks or not batch.is_open(index):
            continue
        policy = conversation.approval_of(index)
        timeout_s = policy.timeout_s or 0.0
        if policy.on_timeout == "fail":
            call = batch.calls[index]
            error = f"nobody decided on call {call.id!r} of {call.name!r} within {timeout_s:g} s"
            conversation.failed = Ending(reason=StopReason.ERROR, error=error)
        expiry = ApprovalTimeout(approved=policy.on_timeout == "approve", timeout_s=timeout_s)
        asks = batch.asks[index].asks
        digest = asks.digest if asks is not None else ""
        verdict = Verdict(AFTER_EXPIRY, expiry.approved, digest, expiry)
        progress = progress.with_batch(batch.with_verdict(index, verdict, f"left to expire after {timeout_s:g} s"))
        conversation.progress = progress
