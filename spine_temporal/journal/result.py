"""The kernel's Result, from a ledger."""

from spine_core import Result, StopReason, TraceEvent

from spine_temporal.journal.ledger import Ledger


def result_of(ledger: Ledger, trace: list[TraceEvent]) -> Result:
    """The Result of an ended run, equal to what `Agent.run` gives for the same conversation.

    Raises:
        ValueError: the run has not ended.
    """
    ending = ledger.progress.ending
    if ending is None:
        raise ValueError("the run has not ended")
    return Result(
        answer=ledger.progress.answer,
        stopped_reason=StopReason(ending.reason),
        state=ledger.state,
        trace=trace,
        usage=ledger.state.usage,
        error=ending.error,
    )
