"""How a conversation begins, or is restored."""

from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

from spine_temporal.contracts import names
from spine_temporal.contracts.base import WireModel
from spine_temporal.contracts.continuation import RestoredSummary, RestoreInput
from spine_temporal.contracts.run_request import AgentSpec, OpenInput, SpecInput
from spine_temporal.journal.entries import ConversationRestored, Opened, SpecRefreshed
from spine_temporal.journal.snapshot import load_progress
from spine_temporal.workflow.execute import execute_activity, execute_local_activity
from spine_temporal.workflow.search_attributes import set_at_start
from spine_temporal.workflow.session import Session
from spine_temporal.workflow.status import publish_status, republish_status

_OPEN_TIMEOUT_S: Final = 60.0
# A conversation that changes while it is fetched is begun anew so often; somebody works on it elsewhere.
_MAX_RESTORES: Final = 10


async def open_session(session: Session) -> None:
    """Learn what the agent is; have the conversation as it was, if there was one before.

    Raises:
        ApplicationError: no agent of that name, or what the request names is gone.
        asyncio.CancelledError: the run is cancelled.
    """
    request = session.request
    if request.carried is None:
        id_ = session.next_spec_id()
        opening = OpenInput(request=request, chain=workflow.info().first_execution_run_id)
        spec = await _answer(names.OPEN_ACTIVITY, opening, id_)
        restoring = request.origin is not None
        session.record(Opened(id_, spec, workflow.time(), request.input, restoring))
        set_at_start(session)
    if request.carried is not None or request.origin is not None or (request.named and session.spec.remembers):
        await _restore(session)
    session.ready = True
    session.wake()


async def refresh(session: Session) -> None:
    """Learn what the agent is by now; a worker that cannot say leaves it as it was.

    Raises:
        asyncio.CancelledError: the run is cancelled.
    """
    request, id_ = session.request, session.next_spec_id()
    task = SpecInput(
        agent=request.agent,
        tenant_id=request.tenant_id,
        budget=request.budget,
        step_policy=request.step_policy,
        tool_policy=request.tool_policy,
    )
    try:
        spec = await _answer(names.SPEC_ACTIVITY, task, id_)
    except FailureError as error:
        if is_cancelled_exception(error):
            raise
        workflow.logger.warning("could not refresh the agent's spec; keeping the recorded one: %s", error)
        return
    if (spec.team is None) != (session.spec.team is None):
        # A conversation that began with an agent is one with an agent: its steps wait for a worker that has it.
        workflow.logger.warning("%r is another kind of agent on this worker; keeping the recorded spec", request.agent)
        spec = session.spec
    session.record(SpecRefreshed(id_, spec))


async def _restore(session: Session) -> None:
    same = session.request.carried is not None
    first = await _fetch(session)
    session.restored_bytes = first.size_bytes
    session.restored_at_bytes = workflow.info().get_current_history_size()
    progress = load_progress(first.progress) if first.progress is not None else None
    session.record(ConversationRestored(first.id, progress, same=same))
    if same:
        republish_status(session)
    elif progress is not None:
        publish_status(session, "running", turn=session.progress.last_turn)


async def _fetch(session: Session) -> RestoredSummary:
    request, policy = session.request, session.spec.step_policy
    task = RestoreInput(
        agent=request.agent,
        session_id=session.session_id,
        origin=request.origin,
        same=request.carried is not None,
        revision=request.carried.revision if request.carried is not None else "",
        named=request.named,
        policy=policy,
    )
    for attempt in range(_MAX_RESTORES):
        again = f" {attempt}" if attempt else ""
        first = await _part(task, 0, f"restore 0{again}")
        for part in range(1, first.parts):
            piece = task.model_copy(update={"digest": first.digest})
            if (await _part(piece, part, f"restore {part}{again}")).changed:
                break
        else:
            return first
    raise ApplicationError(
        f"the conversation cannot go on: it changed each of the {_MAX_RESTORES} times that it was fetched",
        type=names.CONVERSATION_LOST,
        non_retryable=True,
    )


async def _part(task: RestoreInput, part: int, activity_id: str) -> RestoredSummary:
    try:
        return await execute_activity(
            names.RESTORE_ACTIVITY,
            task.model_copy(update={"part": part}),
            RestoredSummary,
            task.policy,
            activity_id=activity_id,
        )
    except ActivityError as error:
        raise _reason(error) from error.__cause__


async def _answer(name: str, request: WireModel, id_: str) -> AgentSpec:
    try:
        return await execute_local_activity(name, request, AgentSpec, activity_id=id_, timeout_s=_OPEN_TIMEOUT_S)
    except ActivityError as error:
        raise _reason(error) from error.__cause__


def _reason(error: ActivityError) -> BaseException:
    # The reason, not "activity failed", is what an operator should read first.
    refused = error.cause
    if not isinstance(refused, ApplicationError):
        return error
    return ApplicationError(refused.message, type=refused.type, non_retryable=True)
