"""The difference between two States of a run."""

import operator
from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import to_json
from spine_core import Message, State, Usage

from spine_temporal.contracts.json_form import json_form
from spine_temporal.contracts.state_delta import DeltaSummary, StateDelta
from spine_temporal.journal import patch
from spine_temporal.journal.replacing import copied

_WRITTEN_APART: Final = frozenset({"messages", "usage", "scratch"})
_OTHERS: Final = tuple(name for name in State.model_fields if name not in _WRITTEN_APART)


def diff(
    before: State, after: State, *, banked: Usage | None = None, stepped: bool = False, unchanged: int = 0
) -> StateDelta:
    """What turns `before` into `after`, beside what `apply` gets of a step.

    `banked` is what the model's response added to the usage; the delta then names a usage only if it is another one.
    `stepped`: the step was counted; the delta names a number only if it is another one. `unchanged`: of so many first
    messages it is known that both have the same.

    Raises:
        pydantic_core.PydanticSerializationError: `after.scratch` holds something that JSON cannot.
        pydantic.ValidationError: a field of `after` has a value that no State can have.
    """
    usage = None if _same(before.usage + banked if banked else before.usage, after.usage) else after.usage
    return StateDelta(
        **_messages(before.messages, after.messages, unchanged),
        usage=usage,
        usage_before=before.usage if usage is not None and banked is None else None,
        scratch=patch.diff(before.scratch, json_form(after.scratch)),
        fields=_fields(before, after, stepped=stepped),
    )


def apply(state: State, delta: StateDelta, *, banked: Usage | None = None, stepped: bool = False) -> State:
    """The State that `delta` makes of `state`, which is left as it was; they share what did not change."""
    changed: dict[str, Any] = {"step": state.step + 1} if stepped else {}
    if delta.messages or delta.edits or delta.cut:
        changed["messages"] = _apply_messages(state.messages, delta)
    usage = count(state.usage, delta, banked=banked)
    if usage is not state.usage:
        changed["usage"] = usage
    if delta.scratch:
        changed["scratch"] = patch.apply(state.scratch, delta.scratch)
    if delta.fields:
        known = State.model_validate({"session_id": state.session_id, **delta.fields})
        changed |= {name: getattr(known, name) for name in delta.fields if name in State.model_fields}
    return copied(state, **changed) if changed else state


def count(total: Usage, delta: StateDelta | DeltaSummary, *, banked: Usage | None = None) -> Usage:
    """The run's usage after `delta`; `banked` is what was spent beside it."""
    counted = total + banked if banked is not None else total
    if delta.usage is None:
        return counted
    if delta.usage_before is None or delta.usage_before == counted:
        return delta.usage
    return Usage(
        input_tokens=counted.input_tokens + delta.usage.input_tokens - delta.usage_before.input_tokens,
        output_tokens=counted.output_tokens + delta.usage.output_tokens - delta.usage_before.output_tokens,
        cost_usd=counted.cost_usd + delta.usage.cost_usd - delta.usage_before.cost_usd,
    )


def same_message(old: Message, new: Message) -> bool:
    """Whether they are written alike."""
    if old is new:
        return True
    # Python finds 1 == True == 1.0, JSON does not; only arguments and parts can hold such values.
    return _same(old, new) and (not (old.tool_calls or old.parts) or to_json(old) == to_json(new))


def _same(old: BaseModel, new: BaseModel) -> bool:
    # As pydantic compares two models, in a third of the time; these have neither generics nor private fields.
    return type(old) is type(new) and old.__dict__ == new.__dict__ and old.__pydantic_extra__ == new.__pydantic_extra__


def _messages(before: Sequence[Message], after: Sequence[Message], unchanged: int) -> dict[str, Any]:
    # By far the most frequent case; over a conversation of thousands, even a look at each message takes long.
    known = unchanged == len(before)
    if known or (len(after) >= len(before) and all(map(operator.is_, before, after))):
        return {"messages": list(after[len(before) :])}
    edits = {
        index: new for index, (old, new) in enumerate(zip(before, after, strict=False)) if not same_message(old, new)
    }
    if len(after) >= len(before) and len(edits) <= len(before) // 2:
        return {"messages": list(after[len(before) :]), "edits": edits}
    start = min(edits, default=min(len(before), len(after)))
    tail = 0
    while tail < min(len(before), len(after)) - start and same_message(before[-1 - tail], after[-1 - tail]):
        tail += 1
    return {"messages": list(after[start : len(after) - tail]), "cut": (start, len(before) - tail)}


def _apply_messages(old: Sequence[Message], delta: StateDelta) -> list[Message]:
    if delta.cut is not None:
        start, end = delta.cut
        return [*old[:start], *delta.messages, *old[end:]]
    new = list(old)
    for index, message in delta.edits.items():
        # Two calls side by side: one hook edited a message that the other's removed.
        if index < len(new):
            new[index] = message
    return [*new, *delta.messages]


def _fields(before: State, after: State, *, stepped: bool) -> dict[str, Any]:
    old, new = before.__dict__ | {"step": before.step + stepped}, after.__dict__
    written = {name: json_form(new[name]) for name in _OTHERS if old[name] != new[name]}
    if written:
        State.model_validate({"session_id": before.session_id, **written})
    return written
