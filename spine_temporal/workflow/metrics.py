"""What is counted of a run as a whole, and never again when its history is replayed."""

from datetime import timedelta

from spine_core import StopReason
from temporalio import workflow

from spine_temporal.contracts import metric_names as names
from spine_temporal.journal.entries import ApprovalExpired, Decided, Entry, Fact, ToolDone
from spine_temporal.journal.progress import Progress
from spine_temporal.journal.tool_calls import Phase


def count_entry(agent: str, before: Progress, after: Progress, entry: Fact | Entry) -> None:
    """Count what people are asked, and what they decide."""
    if isinstance(entry, ToolDone):
        if entry.outcome.asks is None:
            return
        asked = workflow.metric_meter().create_counter(names.APPROVALS_ASKED, "Calls that asked for a decision.")
        asked.add(1, {names.AGENT: agent})
    # Of a call that is decided before it asks, the decision is used when it does.
    if isinstance(entry, ToolDone | Decided | ApprovalExpired):
        _count_settled(agent, before, after)


def count_turn(agent: str, reason: StopReason) -> None:
    """Count the end of a turn."""
    turns = workflow.metric_meter().create_counter(names.TURNS, "Turns that ended.")
    turns.add(1, {names.AGENT: agent, names.STOP_REASON: str(reason.value)})
    _measure_history(agent)


def count_continued(agent: str) -> None:
    """Count that another execution goes on with the run."""
    meter, description = workflow.metric_meter(), "Executions that another one continued."
    meter.create_counter(names.CONTINUED_AS_NEW, description).add(1, {names.AGENT: agent})
    _measure_history(agent)


def _measure_history(agent: str) -> None:
    sizes = workflow.metric_meter().create_histogram(
        names.HISTORY_SIZE, "A history when its turn, or its execution, ends.", "bytes"
    )
    sizes.record(workflow.info().get_current_history_size(), {names.AGENT: agent})


def _count_settled(agent: str, before: Progress, after: Progress) -> None:
    were, are = before.calls, after.calls
    for was, call in zip(were.items if were else (), are.items if are else (), strict=False):
        if call.phase is not Phase.DECIDED or was.phase is Phase.DECIDED or call.ask is None or call.decision is None:
            continue
        waited_s = max(0.0, workflow.time() - call.ask.asked_s) if call.ask.asked_s else 0.0
        expired = call.decision.expired_after_s is not None
        outcome = "expired" if expired else "approved" if call.decision.approved else "rejected"
        waits = workflow.metric_meter().create_histogram_timedelta(
            names.APPROVAL_WAIT, "From the question to the decision."
        )
        waits.record(timedelta(seconds=waited_s), {names.AGENT: agent, names.OUTCOME: outcome})
