"""A conversation as it was at some moment, from its histories."""

from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.checkpoint.carrier import read_holder
from spine_temporal.checkpoint.tombstone import deletes
from spine_temporal.contracts import names
from spine_temporal.contracts.continuation import RestorePoint
from spine_temporal.contracts.run_request import RunRequest
from spine_temporal.errors import BadInput, NotAnAgentRun, RunNotFound
from spine_temporal.format import many
from spine_temporal.history.fold import Fold
from spine_temporal.history.follow import describe, follow
from spine_temporal.history.list_executions import listed
from spine_temporal.history.payloads import at_s
from spine_temporal.journal.dangling_calls import with_unanswered
from spine_temporal.journal.ledger import Ledger


async def ledger_at(client: Client, origin: RestorePoint) -> Ledger | None:
    """The ledger that `origin` names; None: that run never began, or was deleted.

    Raises:
        RunNotFound: its history is gone.
        BadInput: a fork is to begin after a step that was never taken, or is not over.
    """
    return await (_last(client, origin) if origin.step is None else _after_step(client, origin, origin.step))


async def _last(client: Client, origin: RestorePoint) -> Ledger | None:
    at: RestorePoint | None = origin
    unanswered: list[str] = []
    while at is not None:
        read = await _read(client, at.workflow_id, at.run_id, None)
        if read.deleted or await _was_buried(client, read):
            return None
        at = read.request.origin
        if read.back or (at is None and read.unanswered is not None):
            return with_unanswered(read.last, unanswered) if unanswered else read.last
        # Its conversation had not come: what it goes on from knows.
        if read.unanswered is not None:
            unanswered.insert(0, read.unanswered)
    return None


async def _after_step(client: Client, origin: RestorePoint, step: int) -> Ledger | None:
    at: RestorePoint | None = origin
    otherwise: Ledger | None = None
    while at is not None:
        try:
            read = await _read(client, at.workflow_id, at.run_id, step)
        except RunNotFound:
            if otherwise is None:
                raise
            return otherwise
        if read.deleted or await _was_buried(client, read):
            return None
        if read.then is not None:
            if read.reached:
                return read.then
            # The step was over before this execution began: the one before it saw the moment.
            otherwise = read.then
        elif read.back and read.first_step <= step:
            raise _no_step(read.last, origin, step)
        # It began too late, or not at all: what it goes on from knows.
        at = read.request.origin
    if otherwise is None:
        raise BadInput(f"run {origin.workflow_id!r} has not begun: there is no step to fork after")
    return otherwise


async def as_it_is_by_now(client: Client, origin: RestorePoint, run_id: str) -> RestorePoint:
    """The origin of the session's execution `run_id`, which was started to go on from `origin`.

    Between the look at the one and the start of the other, somebody else may have opened the session, and closed it.
    """
    try:
        began = {
            each.execution.run_id: each.start_time.ToNanoseconds()
            async for each in listed(client, origin.workflow_id, names.AGENT_WORKFLOW)
            if each.execution.run_id != run_id
        }
    except RPCError as error:
        if error.status is not RPCStatusCode.UNIMPLEMENTED:
            raise
        # Temporal's time-skipping test server keeps no list: there the race is left alone.
        return origin
    if origin.run_id not in began:
        return origin
    own = await _chain(client, origin.workflow_id, run_id)
    for each in sorted(began, key=lambda each: began[each], reverse=True):
        if began[each] <= began[origin.run_id]:
            break
        # One of the same chain is what a reset has taken back.
        if await _chain(client, origin.workflow_id, each) != own:
            return origin.model_copy(update={"run_id": each})
    return origin


async def _chain(client: Client, workflow_id: str, run_id: str) -> str:
    return str((await describe(client, workflow_id, run_id)).workflow_execution_info.first_run_id)


@dataclass(slots=True)
class _Execution:
    request: RunRequest
    last: Ledger
    then: Ledger | None
    """As it was when the step was over."""
    reached: bool
    """The step was over within this execution, or before it in another session."""
    first_step: int
    back: bool
    """It began, and the conversation that it goes on with had come."""
    unanswered: str | None
    """The user's input, if it was closed before it began; who started an agent that is not there got an error."""
    deleted: bool
    began_s: float


async def _read(client: Client, workflow_id: str, run_id: str, step: int | None) -> _Execution:
    fold, then, first_step = Fold(client.data_converter), None, 0
    began, reached, event, began_s = False, True, HistoryEvent(), 0.0
    async for event in follow(client, workflow_id, run_id, wait=False, onward=False):
        began_s = began_s or at_s(event)
        await fold.feed(event)
        ledger = fold.ledger
        if not ledger.progress.opened or not ledger.restored:
            continue
        if not began:
            began, first_step = True, ledger.progress.step
            reached = not (fold.request and fold.request.carried and first_step == step and _between_steps(ledger))
        if then is None and ledger.progress.step == step and _between_steps(ledger):
            then = ledger
            break
    if fold.request is None:
        raise BadInput(f"the history of {workflow_id!r} does not begin with a run's request")
    back = fold.ledger.progress.opened and fold.ledger.restored
    failed = event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED
    unanswered = fold.request.input if fold.closed and not back and not failed else None
    return _Execution(fold.request, fold.ledger, then, reached, first_step, back, unanswered, deletes(event), began_s)


async def _was_buried(client: Client, read: _Execution) -> bool:
    """Whether its session was deleted when it had closed: then the session's holder says so."""
    if read.request.session_id is None or read.request.carried is not None:
        return False
    try:
        holder = await read_holder(client, f"{names.CHECKPOINT_ID_PREFIX}{read.request.session_id}")
    except NotAnAgentRun:
        return False
    return holder.deleted_s > read.began_s


def _between_steps(ledger: Ledger) -> bool:
    return ledger.progress.calls is None or ledger.progress.calls.over


def _no_step(last: Ledger, origin: RestorePoint, step: int) -> BadInput:
    taken, spec = last.progress.step, last.progress.spec
    if spec is not None and spec.team is not None:
        return BadInput(
            f"run {origin.workflow_id!r} is that of a team, which has no conversation of its own: fork the run of one "
            "of its members, as `spine-temporal show` names them"
        )
    if taken < step:
        return BadInput(
            f"run {origin.workflow_id!r} has taken {many(taken, 'step')}; there is nothing after step {step}"
        )
    return BadInput(
        f"step {step} of run {origin.workflow_id!r} is not over: its tool calls are at work, or wait for a decision; "
        f"fork after step {step - 1}, or when it has gone on"
    )
