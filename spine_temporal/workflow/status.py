"""Where a conversation stands, said to everybody who may want to know."""

import asyncio
from typing import Final

from pydantic_core import to_json
from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import FailureError

from spine_temporal.contracts import names
from spine_temporal.contracts.run_end import Ending
from spine_temporal.contracts.subagent import SubagentStatus
from spine_temporal.contracts.turn import Status, StatusRecord
from spine_temporal.journal.progress import after_standing
from spine_temporal.payloads import pack
from spine_temporal.workflow.session import Conversation

_STATUS: Final = SearchAttributeKey.for_keyword(names.STATUS_ATTRIBUTE)
_AGENT: Final = SearchAttributeKey.for_keyword(names.AGENT_ATTRIBUTE)
_LARGEST_INTERRUPT_BYTES: Final = 50_000


def stand(
    conversation: Conversation,
    status: Status,
    *,
    turn: int | None = None,
    ending: Ending | None = None,
    at: int | None = None,
    interrupt: object = None,
) -> None:
    """Write where the conversation stands into its memo, which is also how its history tells it."""
    progress = conversation.progress
    standing = StatusRecord(
        agent=conversation.request.agent,
        session_id=conversation.session_id,
        status=status,
        turn=turn or progress.turn,
        number=progress.standings + 1,
        ending=ending,
        at=at,
    )
    conversation.progress = after_standing(progress, standing)
    show(conversation, standing)
    if conversation.request.parent is not None:
        parent = conversation.request.parent
        told = SubagentStatus(
            position=parent.position, status=status, number=standing.number, interrupt=_small(interrupt)
        )
        asyncio.create_task(tell_parent(parent.workflow_id, told))  # noqa: RUF006 - Temporal's loop holds its tasks


def stand_again(conversation: Conversation) -> None:
    """Say it once more in an execution that continues another one: lists show the last execution only."""
    progress = conversation.progress
    # A turn that has its ending is over only once the hooks of `on_run_end` have run.
    status: Status = "paused" if progress.paused else "running" if conversation.idle_since_s is None else "idle"
    standing = StatusRecord(
        agent=conversation.request.agent,
        session_id=conversation.session_id,
        status=status,
        turn=progress.turn,
        number=progress.standings,
    )
    show(conversation, standing)


def show(conversation: Conversation, standing: StatusRecord) -> None:
    """Set the memo and, where the server has them, the search attributes."""
    workflow.upsert_memo({names.STANDING_MEMO: pack(standing)})
    if conversation.spec.attributes:
        workflow.upsert_search_attributes(
            [_STATUS.value_set(standing.status), _AGENT.value_set(conversation.request.agent)]
        )


async def tell_parent(workflow_id: str, told: SubagentStatus) -> None:
    """Tell the parent, in whichever execution it is by now; one that is gone need not know."""
    try:
        await workflow.get_external_workflow_handle(workflow_id).signal(names.CHILD_SIGNAL, pack(told))
    except FailureError as error:
        workflow.logger.info("parent %s is not told: %s", workflow_id, error)


def _small(interrupt: object) -> object:
    return interrupt if len(to_json(interrupt)) <= _LARGEST_INTERRUPT_BYTES else None
