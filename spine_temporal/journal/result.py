"""The kernel's Result, from a ledger."""

from spine_core import Result, StopReason, TraceEvent

from spine_temporal.journal.ledger import Ledger


def result_of(ledger: Ledger, trace: list[TraceEvent]) -> Result:
    """The Result of a turn that ended or paused, equal to what `Agent.run` gives for the same conversation.

    Raises:
        ValueError: it did neither.
    """
    ending = ledger.progress.ending
    if ending is None:
        raise ValueError("the run has not ended")
    paused = ledger.progress.paused
    pending = ledger.state.pending
    return Result(
        answer=ledger.progress.answer,
        stopped_reason=StopReason(ending.reason),
        state=ledger.state,
        trace=trace,
        usage=ledger.state.usage,
        error=ending.error,
        resume_token=ledger.state.session_id if paused else None,
        interrupt=pending.payload if paused and pending is not None else None,
    )
