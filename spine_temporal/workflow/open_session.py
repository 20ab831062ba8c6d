"""How a conversation begins, or comes back."""

from dataclasses import replace
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from spine_temporal.contracts import names
from spine_temporal.contracts.base import WireModel
from spine_temporal.contracts.continuation import RestoredSummary, RestoreInput
from spine_temporal.contracts.run_request import AgentSpec, SpecInput
from spine_temporal.journal.calls import after_child_told
from spine_temporal.journal.progress import moved
from spine_temporal.journal.snapshot import load_progress
from spine_temporal.workflow.execute import execute_activity, execute_local_activity
from spine_temporal.workflow.session import Conversation
from spine_temporal.workflow.status import stand, stand_again

_OPEN_TIMEOUT_S: Final = 60.0


async def open_conversation(conversation: Conversation) -> None:
    """Learn what the agent is; have the conversation as it was, if there was one before.

    Raises:
        ApplicationError: no agent of that name, or what the request names is gone.
    """
    request = conversation.request
    if request.carried is None:
        conversation.spec = await _answered(names.OPEN_ACTIVITY, request)
    if request.carried is not None or request.origin is not None or (request.named and conversation.spec.remembers):
        await _restore(conversation)
    conversation.opened = True
    conversation.stop = conversation.stop or conversation.progress.turn in conversation.unwanted


async def refresh(conversation: Conversation) -> None:
    """Learn what the agent is by now; a worker that does not know it leaves it as it was."""
    if conversation.spec.team is not None:
        return
    request = conversation.request
    try:
        spec = await _answered(names.SPEC_ACTIVITY, SpecInput(agent=request.agent, budget=request.budget))
    except ApplicationError as error:
        workflow.logger.warning("the agent is taken for what it was: %s", error.message)
        return
    conversation.spec = spec.model_copy(update={"system": None})


async def _restore(conversation: Conversation) -> None:
    request, same = conversation.request, conversation.request.carried is not None
    task = RestoreInput(
        agent=request.agent, session_id=conversation.session_id, origin=request.origin, same=same, named=request.named
    )
    restored = await _part(conversation, task)
    for part in range(1, restored.parts):
        await _part(conversation, task.model_copy(update={"part": part}))
    conversation.restored_bytes = restored.size_bytes
    conversation.restored_at_bytes = workflow.info().get_current_history_size()
    if restored.progress is None:
        conversation.progress = moved(conversation.progress, restored.id)
        return
    conversation.progress = moved(load_progress(restored.progress), restored.id)
    if same:
        # A child may have spoken before this execution knew what it works on.
        for told in conversation.heard.values():
            conversation.progress = after_child_told(conversation.progress, told)
        stand_again(conversation)
        return
    conversation.progress = replace(conversation.progress, batch=None)
    conversation.turns = conversation.progress.turn + 1
    stand(conversation, "running", turn=conversation.turns)


async def _part(conversation: Conversation, task: RestoreInput) -> RestoredSummary:
    policy = conversation.spec.step_policy
    try:
        return await execute_activity(
            names.RESTORE_ACTIVITY, task, RestoredSummary, policy, activity_id=f"restore {task.part}"
        )
    except ActivityError as error:
        raise _reason(error) from None


async def _answered(name: str, request: WireModel) -> AgentSpec:
    try:
        return await execute_local_activity(name, request, AgentSpec, timeout_s=_OPEN_TIMEOUT_S)
    except ActivityError as error:
        raise _reason(error) from None


def _reason(error: ActivityError) -> BaseException:
    # The reason, not "activity failed", is what an operator should read first.
    refused = error.cause
    if not isinstance(refused, ApplicationError):
        return error
    return ApplicationError(refused.message, type=refused.type, non_retryable=True)
