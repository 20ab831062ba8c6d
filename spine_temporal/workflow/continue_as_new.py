"""A history that grew long, or whose version is drained, is continued by a new execution."""

from typing import Final, NoReturn

from temporalio import workflow

from spine_temporal.contracts.base import dump
from spine_temporal.journal.tool_calls import Phase
from spine_temporal.payloads import pack
from spine_temporal.workflow.metrics import count_continued
from spine_temporal.workflow.session import Session

# A codec may make a third more of it.
_CARRIED: Final = 0.75
# A stock server takes 2,000 updates in one execution.
_MAX_UPDATES: Final = 1_000
# Below this a restored conversation weighs nothing beside what a server takes.
_HEAVY_BYTES: Final = 1_000_000
# A third of what a stock server's history may hold, and what a history has grown to when it is continued in any case.
_MAX_GROWTH_BYTES: Final = 16_000_000
_FULL_BYTES: Final = 44_000_000


def continue_if_due(session: Session) -> None:
    """Continue as a new execution when the history has grown long, or somebody asked for it.

    Raises:
        temporalio.workflow.ContinueAsNewError: it does; let it pass.
    """
    if is_due(session):
        _continue(session)


def is_due(session: Session) -> bool:
    """Whether another execution should continue this one, and nothing is in flight.

    A large conversation, which is written anew with each execution, is left to grow for as much again.
    """
    if not is_long(session) or session.sending or in_flight(session) or not workflow.all_handlers_finished():
        return False
    # What is in hand may be large for a while, like what many calls ask of people. A server would refuse it for ever.
    return len(dump(session.carry_over())) <= session.spec.payload_bytes * _CARRIED


def is_long(session: Session) -> bool:
    """Whether another execution should continue this one as soon as nothing is in flight: begin nothing more."""
    if not session.ready:
        return False
    if session.continue_requested:
        return True
    if not session.advanced:
        return False
    info, limits = workflow.info(), session.spec.continuing
    size_bytes = info.get_current_history_size()
    long = (
        info.is_continue_as_new_suggested()
        or session.updates >= _MAX_UPDATES
        or (limits.events is not None and info.get_current_history_length() >= limits.events)
        or (limits.size_bytes is not None and size_bytes >= limits.size_bytes)
    )
    if not long or session.restored_bytes < _HEAVY_BYTES:
        return long
    grown_bytes = size_bytes - session.restored_at_bytes
    return grown_bytes >= min(session.restored_bytes, _MAX_GROWTH_BYTES) or size_bytes >= _FULL_BYTES


def in_flight(session: Session) -> bool:
    """Whether an activity runs, or an agent is being started, whose end this execution must see."""
    calls = session.progress.calls
    for call in calls.items if calls is not None and not session.progress.over else ():
        starting = call.phase is Phase.DELEGATED and call.subagent is not None and not call.subagent.workflow_id
        if call.phase is Phase.RUNNING or starting:
            return True
    return False


def _continue(session: Session) -> NoReturn:
    count_continued(session.request.agent)
    workflow.continue_as_new(
        pack(session.carry_over()),
        # A pinned run moves to the current version of its deployment here.
        initial_versioning_behavior=workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE,
    )
