"""A history that grew long is continued by a new execution."""

from typing import Final, NoReturn

from temporalio import workflow

from spine_temporal.payloads import pack
from spine_temporal.workflow.session import Conversation

# A stock server takes 2,000 updates in one execution.
_MOST_UPDATES: Final = 1_000
# Below this a restored conversation weighs nothing beside what a server takes.
_HEAVY_BYTES: Final = 1_000_000
_MOST_GROWTH_BYTES: Final = 16_000_000


def continue_if_due(conversation: Conversation) -> None:
    """Continue as a new execution when the history has grown long.

    Raises:
        temporalio.workflow.ContinueAsNewError: it does; let it pass.
    """
    if is_due(conversation):
        _continue(conversation)


def is_due(conversation: Conversation) -> bool:
    """Whether the history is long enough, nothing is in flight, and this execution got the run on.

    A large conversation, which is written anew with each execution, is left to grow for as much again.
    """
    if conversation.in_flight or not conversation.got_on or not workflow.all_handlers_finished():
        return False
    info, limits = workflow.info(), conversation.spec.continuing
    size_bytes = info.get_current_history_size()
    long = (
        info.is_continue_as_new_suggested()
        or conversation.updates >= _MOST_UPDATES
        or (limits.events is not None and info.get_current_history_length() >= limits.events)
        or (limits.size_bytes is not None and size_bytes >= limits.size_bytes)
    )
    if not long or conversation.restored_bytes < _HEAVY_BYTES:
        return long
    grown_bytes = size_bytes - conversation.restored_at_bytes
    return grown_bytes >= min(conversation.restored_bytes, _MOST_GROWTH_BYTES)


def _continue(conversation: Conversation) -> NoReturn:
    workflow.continue_as_new(
        pack(conversation.carry()),
        # A pinned run moves to the current version of its deployment here.
        initial_versioning_behavior=workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE,
    )
