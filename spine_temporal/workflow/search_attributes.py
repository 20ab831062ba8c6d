"""The search attributes that a run sets at its start, when its status changes, at its end."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from spine_core import StopReason
from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

from spine_temporal.contracts import names
from spine_temporal.contracts.search_attributes import NAMES, TABLE, keyword, whole_number
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


def set_at_start(session: Session) -> None:
    """Set what whoever started the run did not set, or what a worker knows better; mostly there is no command.

    Where the worker sets none, those that the run was started with go: nobody would keep them true.
    """
    before = _set_before()
    if before:
        known = _values(session, session.progress.status, None)
        values = {name: known.get(name) for name in session.spec.search_attributes}
        _upsert([name for name in NAMES if values.get(name) != before.get(name)], values)
    elif session.spec.search_attributes:
        set_attributes(session)


def set_attributes(session: Session, status: str | None = None, reason: StopReason | None = None) -> None:
    """Set those that the server has been found to have, in one command; none: there is no command.

    What a run does not have, such as a tenant or a cost that is known, is taken away if it was set before.
    """
    settable = [name for name in session.spec.settable if name in _KEYS]
    ending, before = session.progress.ending, _set_before()
    reason = reason or (ending.reason if ending is not None else None)
    values = _values(session, status or session.progress.status, reason)
    changed = [name for name in settable if values.get(name) != before.get(name)]
    # There is a command where one was recorded, also if it changes nothing.
    _upsert(changed or settable, values)


def set_closed(session: Session, reason: StopReason, *, canceled: bool = False) -> None:
    """Set them for the last time, with how the workflow closes."""
    status = _CANCELED if canceled else _FAILED if reason is StopReason.ERROR else _COMPLETED
    if session.progress.spec is None:
        # Which of them the server has is not known, but for those that the run was started with.
        _upsert([names.STATUS_ATTRIBUTE] if _set_before() else [], {names.STATUS_ATTRIBUTE: status})
    elif session.spec.search_attributes:
        # What was recorded before there were more than two of them has no such command.
        set_attributes(session, status, reason)


def _set_before() -> Mapping[str, object]:
    """Those of the run as they are."""
    attributes = workflow.info().typed_search_attributes
    return {each.key.name: each.value for each in attributes if each.key.name in _KEYS}


def _upsert(changed: Sequence[str], values: Mapping[str, Value | None]) -> None:
    if changed:
        workflow.upsert_search_attributes([_update(name, values.get(name)) for name in changed])


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
