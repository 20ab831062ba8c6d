"""One run in full, read from its history with what the server says of it now."""

import math
from datetime import UTC, datetime
from typing import Any

from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client

from spine_temporal.client.description import (
    DecisionMade,
    FailingTask,
    ForkOrigin,
    ParentCall,
    QueuedInput,
    RunDescription,
    RunUsage,
    Subagent,
    VersionMove,
)
from spine_temporal.client.pending import pending_in
from spine_temporal.client.pending_work import PendingWork, StepInHand, SubagentAtWork, failure_message, pending_work
from spine_temporal.client.run_history import RunHistory, read_history
from spine_temporal.client.run_summary import run_name, summary_of
from spine_temporal.client.runs import find_run
from spine_temporal.connection.web_ui import page_of
from spine_temporal.errors import ConversationLost
from spine_temporal.history.payloads import at_s
from spine_temporal.journal.counters import Progress, known_cost_usd
from spine_temporal.journal.ledger import subagents_of


async def describe_run(client: Client, given: str) -> RunDescription:
    """The run with the session id or workflow id `given`.

    Raises:
        RunNotFound: there is no such run.
        NotAnAgentRun: the id belongs to another kind of workflow.
        ConversationLost: its history cannot be read.
    """
    found = await find_run(client, given)
    info = found.info
    history = await read_history(client, info.execution.workflow_id, info.execution.run_id)
    if history.problem:
        raise ConversationLost(f"the history of run {given!r} cannot be read: {history.problem}")
    summary = summary_of(info, found.published, history)
    failing = await _failing_task(client, found.described, history)
    return RunDescription(
        **dict(summary),
        **_outcome(history),
        **_lineage(history),
        failing_task=failing,
        # What the server calls pending of a task that fails is its next failure.
        in_flight=await _in_flight(client, found.described, history, found.status)
        if found.open and failing is None
        else (),
        pending=tuple(await pending_in(client, summary.workflow_id, history.ledger)) if found.open else (),
        children=tuple(_subagents(history)),
        ui=await page_of(client, summary.workflow_id),
        trace=tuple(history.fold.trace),
    )


def _outcome(history: RunHistory) -> dict[str, Any]:
    ledger, ending = history.ledger, history.ledger.progress.ending
    return {
        "answer": ledger.progress.answer,
        "error": ending.error if ending is not None else None,
        "turn": ledger.progress.turn,
        "queued": tuple(QueuedInput(turn=each.turn, input=each.input) for each in ledger.progress.queue),
        "usage": _usage(ledger.progress),
        "state": ledger.state,
        "decisions": tuple(
            DecisionMade(
                position=made.position,
                call_id=made.call_id,
                tool=made.tool,
                decision=made.decision,
                at=datetime.fromtimestamp(made.at_s, UTC),
                decided_by=made.decided_by,
                reason=made.reason,
                edited=made.edited,
            )
            for made in ledger.decisions
        ),
    }


def _usage(progress: Progress) -> RunUsage:
    usage = progress.usage
    return RunUsage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_usd=known_cost_usd(progress.spent),
        known_cost_usd=usage.cost_usd if math.isfinite(usage.cost_usd) and usage.cost_usd else None,
        unpriced_tokens=progress.unpriced_tokens,
    )


def _lineage(history: RunHistory) -> dict[str, Any]:
    ledger, request = history.ledger, history.fold.request
    spec = ledger.progress.spec
    origin = ledger.origin
    continued = request.origin if request is not None and request.origin is not None else None
    parent = request.parent if request is not None else None
    return {
        "plugins": ledger.plugins,
        "opened_with": ledger.opened_with,
        "moves": tuple(VersionMove(step=move.step, plugins=move.plugins) for move in ledger.version_changes),
        "team": spec.team.kind if spec is not None and spec.team is not None else None,
        "forked_from": ForkOrigin(
            run=run_name(origin.workflow_id), workflow_id=origin.workflow_id, run_id=origin.run_id, step=origin.step
        )
        if origin is not None and origin.step is not None
        else None,
        "continues": continued.run_id if continued is not None and continued.step is None else None,
        "works_for": ParentCall(run=run_name(parent.workflow_id), call=parent.position) if parent is not None else None,
    }


def _subagents(history: RunHistory) -> list[Subagent]:
    """All that this execution knows of, in the order of their calls."""
    found = []
    for child in sorted(history.children.values(), key=lambda child: _order(child.position)):
        if history.fold.closed and not child.workflow_id:
            # The next member of a team that was cancelled: its turn came, and it was never started.
            continue
        outcome = history.outcomes.get(child.position)
        found.append(
            Subagent(
                position=child.position,
                agent=child.agent,
                run=run_name(child.workflow_id),
                workflow_id=child.workflow_id,
                status=child.status if outcome is None else outcome.reason or "failed",
                error=outcome.error if outcome is not None else None,
            )
        )
    return found


async def _in_flight(
    client: Client, described: DescribeWorkflowExecutionResponse, history: RunHistory, status: str
) -> tuple[PendingWork, ...]:
    ledger = history.ledger
    at_work = [
        SubagentAtWork(child.position, child.agent, paused=child.status == "paused")
        for child in subagents_of(ledger)
        if child.status != "over"
    ]
    calls = [content.call for content in ledger.calls]
    spec = ledger.progress.spec
    step = StepInHand(calls=calls, subagents=at_work, is_team=spec is not None and spec.team is not None)
    return tuple(await pending_work(client, described, step, status))


async def _failing_task(
    client: Client, described: DescribeWorkflowExecutionResponse, history: RunHistory
) -> FailingTask | None:
    event = history.failed_task
    if event is None or not described.HasField("pending_workflow_task"):
        return None
    # Of many failures in a row the history holds the first; how often it was tried again, the description says.
    failed = event.workflow_task_failed_event_attributes
    cause = WorkflowTaskFailedCause.Name(failed.cause).removeprefix("WORKFLOW_TASK_FAILED_CAUSE_")
    message = "the worker did not end it in time"
    if failed.HasField("failure"):
        message = await failure_message(client, failed.failure)
    return FailingTask(
        since=datetime.fromtimestamp(at_s(event), UTC),
        attempt=described.pending_workflow_task.attempt,
        cause=cause,
        message=message,
    )


def _order(position: str) -> list[int]:
    return [int(part) for part in position.split(".") if part.isdecimal()]
