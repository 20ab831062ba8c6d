"""A structural patch of JSON objects in which a list that grew costs only its new items.

A patch is itself a JSON object with at most four keys:

    set   key -> new value         (it is no list and no object, or became another one)
    del   keys that are gone
    grow  key -> items             (the value is a list, these were appended)
    in    key -> patch             (the value is an object, it changed inside)

RFC 6902 names an appended item by its index, so two patches made side by side from one state would overwrite each
other; `grow` lets both appends stand, also where each of them began the list.
"""

from typing import Any

from pydantic_core import to_json

type Json = dict[str, Any]


def diff(old: Json, new: Json) -> Json:
    """The patch that turns `old` into `new`; empty when nothing changed."""
    patch: Json = {}
    for key, value in new.items():
        if key not in old or not _same(old[key], value):
            operation, operand = _change(old.get(key, type(value)()), value)
            patch.setdefault(operation, {})[key] = operand
    if gone := [key for key in old if key not in new]:
        patch["del"] = gone
    return patch


def apply(old: Json, patch: Json) -> Json:
    """What `patch` makes of `old`, which is left as it was.

    A patch made from another state still applies: a key it grows or enters that is not there begins empty.
    """
    new = dict(old)
    for key in patch.get("del", ()):
        new.pop(key, None)
    new.update(patch.get("set", {}))
    for key, items in patch.get("grow", {}).items():
        present = new.get(key)
        new[key] = [*present, *items] if isinstance(present, list) else list(items)
    for key, inner in patch.get("in", {}).items():
        present = new.get(key)
        new[key] = apply(present if isinstance(present, dict) else {}, inner)
    return new


def _change(old: Any, new: Any) -> tuple[str, Any]:
    if isinstance(old, list) and isinstance(new, list) and len(new) >= len(old) and _same(old, new[: len(old)]):
        return "grow", new[len(old) :]
    if isinstance(old, dict) and isinstance(new, dict):
        return "in", diff(old, new)
    return "set", new


def _same(old: Any, new: Any) -> bool:
    # By their JSON: Python finds 1 == True == 1.0, and no NaN equal to another.
    return to_json(old) == to_json(new)
