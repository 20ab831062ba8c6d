"""Agents that work for this one, each in a workflow of its own."""

import asyncio
from typing import Final

from temporalio import exceptions, workflow
from temporalio.common import RawValue
from temporalio.exceptions import (
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    FailureError,
    TerminatedError,
    WorkflowAlreadyStartedError,
)

from spine_temporal.contracts import names
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.contracts.run_end import RunOutcome
from spine_temporal.contracts.run_request import Parent, RunRequest
from spine_temporal.contracts.subagent import Delegation, SubagentOutcome, WatchInput
from spine_temporal.contracts.turn import StatusRecord
from spine_temporal.journal.calls import outcome_of
from spine_temporal.payloads import pack, unpack
from spine_temporal.workflow.execute import execute_activity
from spine_temporal.workflow.session import Conversation

_YEAR_S: Final = 365 * 24 * 3600.0


def child_id(position: str) -> str:
    """The workflow id of the child that works on the call at `position`; the same in every execution."""
    return f"{workflow.info().workflow_id}/{position}"


async def run_child(
    conversation: Conversation, position: str, delegation: Delegation, *, below: bool = True
) -> SubagentOutcome:
    """Have another agent work, and wait until it is over.

    The child is abandoned, in Temporal's word, when this workflow closes: a server would end it also when this one
    continues as new. Cancelling this workflow cancels it. A member of a team stands where the team does, not `below`.
    """
    request = RunRequest(
        agent=delegation.agent,
        input=delegation.input,
        session_id=f"{conversation.session_id}/{position}",
        stop=conversation.stop,
        approval=conversation.request.approval,
        depth=conversation.progress.depth + (1 if below else 0),
        parent=Parent(workflow_id=workflow.info().workflow_id, position=position),
        budget=conversation.budget(),
    )
    standing = StatusRecord(agent=delegation.agent, session_id=str(request.session_id))
    try:
        handle = await workflow.start_child_workflow(
            names.AGENT_WORKFLOW,
            pack(request),
            id=child_id(position),
            task_queue=delegation.task_queue,
            result_type=RawValue,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary=delegation.agent,
            memo={names.STANDING_MEMO: pack(standing)},
        )
    except WorkflowAlreadyStartedError:
        # A reset took this workflow back to before the child's start; the child is still there.
        return await watch_child(conversation, position)
    conversation.child_is_at_work(position)
    conversation.changed()
    try:
        return outcome_of(unpack(RunOutcome, await _end_of(handle, position)))
    except ChildWorkflowError as error:
        return SubagentOutcome(error=_why(error.cause))
    finally:
        conversation.children.discard(position)


async def _end_of(handle: asyncio.Future[RawValue], position: str) -> RawValue:
    """Wait for the child's end; also when it is to be cancelled.

    The SDK would cancel the execution that was started, not the one in which the child goes on by now.
    """
    try:
        return await asyncio.shield(handle)
    except asyncio.CancelledError:
        await _tell(position, cancel=True)
        return await handle


async def watch_child(conversation: Conversation, position: str) -> SubagentOutcome:
    """Wait for a child that an execution before this one began: the server tells its end to that one only."""
    conversation.child_is_at_work(position)
    conversation.changed(got_on=False)
    task = WatchInput(workflow_id=child_id(position), position=position)
    patient = ActivityPolicy(timeout_s=_YEAR_S)
    watching = asyncio.create_task(
        execute_activity(names.WATCH_ACTIVITY, task, SubagentOutcome, patient, activity_id=f"watch {position}")
    )
    try:
        return await asyncio.shield(watching)
    except asyncio.CancelledError:
        await _tell(position, cancel=True)
        return await watching


async def stop_child(position: str) -> None:
    """Ask a child to end at its next step boundary."""
    await _tell(position, cancel=False)


async def _tell(position: str, *, cancel: bool) -> None:
    handle = workflow.get_external_workflow_handle(child_id(position))
    try:
        await (handle.cancel() if cancel else handle.signal(names.STOP_SIGNAL))
    except FailureError as error:
        workflow.logger.info("child %s is over before it is told to end: %s", position, error)


def _why(cause: BaseException | None) -> str:
    """In the words in which the history's reader says it."""
    match cause:
        case ApplicationError():
            return cause.message
        case CancelledError():
            return "Cancelled"
        case TerminatedError():
            return "Terminated"
        case exceptions.TimeoutError():
            return "Timed out"
    return str(cause)
