"""Agents that work for this one, each in a workflow of its own."""

import asyncio
from datetime import timedelta
from typing import Final

from temporalio import exceptions, workflow
from temporalio.common import RawValue
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    FailureError,
    TerminatedError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

from spine_temporal.contracts import names
from spine_temporal.contracts.policies import WORKER_SILENCE_S, ActivityPolicy
from spine_temporal.contracts.run_end import RunOutcome
from spine_temporal.contracts.run_id import Position
from spine_temporal.contracts.run_request import Parent, RunRequest
from spine_temporal.contracts.status import StatusRecord
from spine_temporal.contracts.subagent import Delegation, SubagentLook, SubagentOutcome, SubagentReport
from spine_temporal.format import summary
from spine_temporal.journal.entries import SubagentDone, SubagentStarted
from spine_temporal.journal.subagents import CANCELLED_SUBAGENT, subagent_outcome
from spine_temporal.journal.tool_calls import Phase
from spine_temporal.journal.tool_results import call_at
from spine_temporal.payloads import pack, unpack
from spine_temporal.workflow.execute import execute_activity
from spine_temporal.workflow.session import Session

# A subagent whose parent has continued as new reports its end by a signal. One that was terminated cannot: it is
# looked at, at growing intervals, each for a few events of the history.
_FIRST_LOOK_S: Final = 10.0
_LAST_LOOK_S: Final = 6 * 3600.0
# One that is cancelled is over soon.
_HURRIED_LOOK_S: Final = 1.0
_LOOK: Final = ActivityPolicy(timeout_s=60.0, heartbeat_s=60.0)


async def run_subagent(session: Session, position: Position, delegation: Delegation) -> None:
    """Start another agent's workflow, and record what comes of it.

    The child is abandoned, in Temporal's word, when this workflow closes: a server would end it also when this one
    continues as new. Cancelling this workflow cancels it.
    """
    id_ = session.child_id(position)
    try:
        handle = await workflow.start_child_workflow(
            names.AGENT_WORKFLOW,
            pack(_request(session, position, delegation)),
            id=id_,
            task_queue=delegation.task_queue,
            result_type=RawValue,
            task_timeout=timedelta(seconds=WORKER_SILENCE_S),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary=summary(f"{delegation.agent} · call {position} of {session.request.agent}"),
            memo={names.STATUS_MEMO: pack(StatusRecord(agent=delegation.agent, session_id=_session_id(session, id_)))},
        )
    except WorkflowAlreadyStartedError:
        # A reset took this workflow back to before the child's start; the child is still there.
        session.record(SubagentStarted(position, id_))
        await await_subagent(session, position)
        return
    session.record(SubagentStarted(position, id_))
    cancelled: asyncio.CancelledError | None = None
    try:
        # The SDK would cancel the execution that was started, not the one in which the child goes on by now.
        await workflow.wait([handle])
    except asyncio.CancelledError as error:
        cancelled = error
        await _cancel(id_)
    try:
        outcome = subagent_outcome(unpack(RunOutcome, await handle))
    except ChildWorkflowError as error:
        outcome = _closed(error.cause)
    session.record(SubagentDone(position, outcome))
    if cancelled is not None:
        raise cancelled


async def await_subagent(session: Session, position: Position) -> None:
    """Wait for a subagent that an execution before this one started: the server reports its end to that one only."""
    id_, pause_s, cancelled = session.child_id(position), _FIRST_LOOK_S, False
    # One that is over already cannot take the signal.
    asked, look = False, True
    while True:
        try:
            if not asked:
                asked = True
                await _signal(session, id_, names.REPORT_END_SIGNAL)
            if look:
                await _look(session, position, id_)
                look = False
            if not _works(session, position):
                break
            look = not await _ended(session, position, pause_s)
            pause_s = min(pause_s * 2, _LAST_LOOK_S)
        except (asyncio.CancelledError, ActivityError) as error:
            # Wherever it is cancelled: this one does not end before the subagent has.
            if cancelled or not is_cancelled_exception(error):
                raise
            cancelled, pause_s = True, _HURRIED_LOOK_S
            await _cancel(id_)
    if cancelled:
        raise asyncio.CancelledError


async def stop_subagent(session: Session, position: Position) -> None:
    """Ask a subagent to end at its next step boundary."""
    await _signal(session, session.child_id(position), names.STOP_SIGNAL)


async def _look(session: Session, position: Position, id_: str) -> None:
    look = SubagentLook(workflow_id=id_, parent_id=workflow.info().workflow_id, position=str(position))
    number = f"look {position} {workflow.uuid4().hex[:6]}"
    report = await execute_activity(names.SUBAGENT_ACTIVITY, look, SubagentReport, _LOOK, activity_id=number)
    if report.outcome is not None:
        session.record(SubagentDone(position, report.outcome))


async def _ended(session: Session, position: Position, within_s: float) -> bool:
    try:
        await workflow.wait_condition(
            lambda: not _works(session, position), timeout=within_s, timeout_summary="whether the agent is at work"
        )
    except TimeoutError:
        return False
    return True


def _works(session: Session, position: Position) -> bool:
    found = call_at(session.progress, position)
    return found is not None and found.call.phase is Phase.DELEGATED and not found.call.subagent_is("over")


def _request(session: Session, position: Position, delegation: Delegation) -> RunRequest:
    team = session.spec.team is not None
    return RunRequest(
        agent=delegation.agent,
        input=delegation.input,
        session_id=_session_id(session, session.child_id(position)),
        stop=session.progress.stop_requested,
        # Who reads a team along reads its members.
        tokens_every_s=session.progress.tokens_every_s if team else None,
        tenant_id=session.request.tenant_id,
        ui_text=session.request.ui_text,
        approval=session.request.approval,
        step_policy=session.request.step_policy,
        tool_policy=session.request.tool_policy,
        # A member of a team stands where the team does, not below it.
        depth=session.progress.depth + (0 if team else 1),
        trace=delegation.trace or (str(session.segment.context) if team and session.spec.traced else ""),
        parent=Parent(workflow_id=workflow.info().workflow_id, position=str(position), report_cancel=True),
        budget=session.budget(),
    )


def _session_id(session: Session, child_id: str) -> str:
    """The subagent's session id: its workflow id without what stands before the parent's own session id."""
    workflow_id = workflow.info().workflow_id
    prefix = workflow_id.removesuffix(session.session_id) if workflow_id.endswith(session.session_id) else ""
    return child_id.removeprefix(prefix)


async def _signal(session: Session, id_: str, name: str) -> None:
    # Apart from the task that waits: the SDK forgets that one was cancelled while its signal was on its way.
    await workflow.wait([session.send(_deliver(id_, name))])


async def _deliver(id_: str, name: str) -> None:
    try:
        await workflow.get_external_workflow_handle(id_).signal(name)
    except FailureError as error:
        workflow.logger.info("subagent %s takes no signal %s, it is over: %s", id_, name, error)


async def _cancel(id_: str) -> None:
    try:
        await workflow.get_external_workflow_handle(id_).cancel()
    except FailureError as error:
        workflow.logger.info("subagent %s is over before it is cancelled: %s", id_, error)


def _closed(cause: BaseException | None) -> SubagentOutcome:
    """In the words in which the history's reader says it."""
    match cause:
        case ApplicationError():
            return SubagentOutcome(error=cause.message)
        case CancelledError():
            return CANCELLED_SUBAGENT
        case TerminatedError():
            return SubagentOutcome(error="Terminated")
        case exceptions.TimeoutError():
            return SubagentOutcome(error="Timed out")
    return SubagentOutcome(error=str(cause))
