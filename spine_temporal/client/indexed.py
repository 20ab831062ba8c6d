"""What the server's lists know of a run by its search attributes."""

import json
from dataclasses import dataclass

from spine_core import StopReason
from temporalio.api.workflow.v1 import WorkflowExecutionInfo

from spine_temporal.contracts import names


@dataclass(frozen=True, slots=True)
class Indexed:
    """The search attributes of a run, as of its last change of status."""

    agent: str | None
    tenant: str | None
    reason: StopReason | None
    step: int
    tokens: int
    cost_usd: float | None
    """None: nobody knows, or not of all of it."""


def indexed(info: WorkflowExecutionInfo) -> Indexed | None:
    """What a run's attributes say; None: it set none, for the server had none when it began."""
    values = {name: _value(payload.data) for name, payload in info.search_attributes.indexed_fields.items()}
    tokens = _number(values.get(names.TOKENS_ATTRIBUTE))
    if tokens is None:
        return None
    reason = values.get(names.STOP_REASON_ATTRIBUTE)
    cost_usd = _number(values.get(names.COST_ATTRIBUTE))
    return Indexed(
        agent=_text(values.get(names.AGENT_ATTRIBUTE)),
        tenant=_text(values.get(names.TENANT_ATTRIBUTE)),
        reason=next((each for each in StopReason if each.value == reason), None),
        step=int(_number(values.get(names.STEP_ATTRIBUTE)) or 0),
        tokens=int(tokens),
        # One that has used nothing yet has cost nothing.
        cost_usd=cost_usd if cost_usd is not None or tokens else 0.0,
    )


def indexed_status(info: WorkflowExecutionInfo) -> str | None:
    """The status that an open run published for lists; None: none."""
    payload = info.search_attributes.indexed_fields.get(names.STATUS_ATTRIBUTE)
    return _text(_value(payload.data)) if payload is not None else None


def _value(data: bytes) -> object:
    try:
        return json.loads(data)
    except ValueError:
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
