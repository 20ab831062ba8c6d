"""The search attributes that a run sets at its start, when its status changes, at its end."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from spine_core import StopReason
from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

from spine_temporal.contracts import names
from spine_temporal.contracts.search_attributes import TABLE, keyword, whole_number
from spine_temporal.journal.counters import known_cost_usd
from spine_temporal.workflow.session import Session

type Value = str | int | float

_COMPLETED: Final = "completed"
_FAILED: Final = "failed"
_CANCELED: Final = "canceled"

_MAKE: Final[Mapping[str, Callable[[str], SearchAttributeKey[Any]]]] = {
    "Keyword": SearchAttributeKey.for_keyword,
    "Int": SearchAttributeKey.for_int,
    "Double": SearchAttributeKey.for_float,
}
_KEYS: Final = {each.name: _MAKE[each.type](each.name) for each in TABLE}


def set_attributes(session: Session, status: str | None = None, reason: StopReason | None = None) -> None:
    """Set those that the server has been found to have, in one command; none: there is no command.

    What a run does not have, such as a tenant or a cost that is known, is taken away: it may have been set before.
    """
    settable = [name for name in session.spec.settable if name in _KEYS]
    if not settable:
        return
    ending = session.progress.ending
    reason = reason or (ending.reason if ending is not None else None)
    values = _values(session, status or session.progress.status, reason)
    set_before = {each.key.name for each in workflow.info().typed_search_attributes}
    changed = [name for name in settable if values.get(name) is not None or name in set_before]
    # There is a command where there was one in what is recorded, also if it changes nothing.
    workflow.upsert_search_attributes([_update(name, values.get(name)) for name in changed or settable])


def set_closed(session: Session, reason: StopReason, *, canceled: bool = False) -> None:
    """Set them for the last time, with how the workflow closes."""
    # What was recorded before there were more than two of them has no such command.
    if session.progress.spec is not None and session.spec.search_attributes:
        status = _CANCELED if canceled else _FAILED if reason is StopReason.ERROR else _COMPLETED
        set_attributes(session, status, reason)


def _update(name: str, value: Value | None) -> SearchAttributeUpdate[Any]:
    key = _KEYS[name]
    return key.value_unset() if value is None else key.value_set(value)


def _values(session: Session, status: str, reason: StopReason | None) -> dict[str, Value | None]:
    progress, parent = session.progress, workflow.info().parent
    texts = {
        names.STATUS_ATTRIBUTE: status,
        names.AGENT_ATTRIBUTE: session.request.agent,
        names.SESSION_ATTRIBUTE: session.session_id,
        names.TENANT_ATTRIBUTE: progress.tenant_id,
        names.STOP_REASON_ATTRIBUTE: reason.value if reason is not None else None,
        names.PARENT_ATTRIBUTE: parent.workflow_id if parent is not None else None,
    }
    own = progress.own
    return {
        **{name: keyword(text) if text else None for name, text in texts.items()},
        names.STEP_ATTRIBUTE: whole_number(own.step),
        names.TOKENS_ATTRIBUTE: whole_number(own.usage.total_tokens),
        # Of a run that has just begun, nobody knows yet whether its model has a price.
        names.COST_ATTRIBUTE: known_cost_usd(own) if own.usage.total_tokens or status != "running" else None,
    }
