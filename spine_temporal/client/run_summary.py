"""A run in one row of a list."""

from datetime import UTC, datetime

from spine_core import StopReason
from temporalio.api.workflow.v1 import WorkflowExecutionInfo

from spine_temporal.client.indexed import indexed
from spine_temporal.client.read_model import ReadModel
from spine_temporal.client.run_history import RunHistory
from spine_temporal.client.status import is_open, status_word
from spine_temporal.contracts import names
from spine_temporal.contracts.status import StatusRecord
from spine_temporal.journal.counters import known_cost_usd


class RunSummary(ReadModel):
    """A run in one row."""

    id: str
    """The name by which `find_run` finds it."""
    session_id: str
    workflow_id: str
    run_id: str
    agent: str
    input: str
    """The user's first input."""
    status: str
    """running, paused (it waits for a decision), idle (it waits for its next turn), failed (the last turn ended with
    an error, or the workflow failed), suspended (on the server), completed, canceled, terminated, timed_out."""
    open: bool
    """Its workflow has not ended: a failed session, too, takes a further turn."""
    reason: StopReason | None
    """Why its last turn stopped, in the kernel's words; None: it goes on, or nobody knows."""
    started: datetime
    closed: datetime | None
    duration_s: float | None
    """Seconds at work, without those in which it waited for a person or a turn. None: its history was not read."""
    events: int
    """0: it is open, and the server's list does not say."""
    bytes: int
    task_queue: str
    tenant: str | None = None
    step: int = 0
    """Steps that this run has taken; what its conversation took before it was forked, or opened again, is not in it."""
    tokens: int = 0
    """Likewise, those of the agents below it among them."""
    cost_usd: float | None = None
    """Likewise. None: nobody knows what it cost, or not of all of it; a model without a price never costs 0."""


class StartedRun(ReadModel):
    """A run that has just been started."""

    session_id: str
    workflow_id: str
    run_id: str | None
    ui: str | None
    """Where the web UI shows it."""


class UnreadRun(ReadModel):
    """A run whose history could not be read."""

    id: str
    problem: str


class RunList(ReadModel):
    """The runs that were asked for, newest first."""

    runs: tuple[RunSummary, ...]
    unread: tuple[UnreadRun, ...] = ()
    """Those of which less is known, or nothing."""
    truncated: bool = False
    """So many runs were read that the search ended before the list was full."""


def run_name(workflow_id: str) -> str:
    """The shortest name by which `find_run` finds that run."""
    return workflow_id.removeprefix(names.WORKFLOW_ID_PREFIX)


def summary_of(info: WorkflowExecutionInfo, published: StatusRecord | None, history: RunHistory) -> RunSummary:
    """The run in one row."""
    workflow_id, request, open_ = info.execution.workflow_id, history.fold.request, is_open(info)
    worked_s, progress = history.worked_s, history.ledger.progress
    step, tokens, cost_usd = _used(info, history)
    if open_ and history.working:
        worked_s += max(datetime.now(UTC).timestamp() - history.last_event_s, 0.0)
    return RunSummary(
        id=run_name(workflow_id),
        session_id=(published and published.session_id) or (request and request.session_id) or workflow_id,
        workflow_id=workflow_id,
        run_id=info.execution.run_id,
        agent=published.agent if published else request.agent if request else "?",
        input=history.input,
        status=status_word(info, published, history.reason),
        open=open_,
        reason=history.reason,
        started=info.start_time.ToDatetime(UTC),
        closed=info.close_time.ToDatetime(UTC) if info.HasField("close_time") else None,
        duration_s=round(worked_s, 3) if history.complete else None,
        events=info.history_length,
        bytes=info.history_size_bytes,
        task_queue=info.task_queue,
        tenant=progress.tenant_id,
        step=step,
        tokens=tokens,
        cost_usd=cost_usd,
    )


def _used(info: WorkflowExecutionInfo, history: RunHistory) -> tuple[int, int, float | None]:
    """Steps, tokens and cost of the run; of a history that was not read to its end, as the run published them."""
    own, known = history.ledger.progress.own, indexed(info)
    if history.complete:
        return own.step, own.usage.total_tokens, known_cost_usd(own)
    if known is not None:
        return known.step, known.tokens, known.cost_usd
    return own.step, own.usage.total_tokens, None
