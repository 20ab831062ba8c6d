"""The form of a snapshot: another version reads it, as far as it knows what is in it."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, TypeAliasType, get_args, get_origin, get_type_hints

import pytest

from spine_temporal.contracts.base import WireModel
from spine_temporal.journal.counters import Progress, Spent
from spine_temporal.journal.ledger import CallContent, DecisionRecord, Ledger, Member, VersionChange
from spine_temporal.journal.snapshot import dump_ledger, dump_progress, load_ledger, load_progress
from spine_temporal.journal.tool_calls import Call, CallDecision, Calls, Subagent

# It is never edited. A field that a later version adds to a class comes in a further file.
GOLDEN: Final = (Path(__file__).parent / "golden" / "Ledger.json").read_bytes().rstrip(b"\n")
OURS: Final = [Call, CallContent, CallDecision, Calls, DecisionRecord, Ledger, Member, Progress, Spent, Subagent]
# A snapshot is of a conversation that is there.
NEVER_WRITTEN: Final = {"early", "restored"}
LATER: Final = "added_by_a_later_version"


def objects(hint: Any, value: Any, at: str = "Ledger") -> Iterator[tuple[str, type, dict[str, Any]]]:
    """Each object in JSON that a class of ours is written as: where it stands, the class, the object itself."""
    while isinstance(hint, TypeAliasType) or get_origin(hint) is Annotated:
        hint = hint.__value__ if isinstance(hint, TypeAliasType) else get_args(hint)[0]
    if value is None:
        return
    if _is_ours(hint):
        assert isinstance(value, dict), f"{at}: a {hint.__name__} is {value!r}"
        yield at, hint, value
    for name, inner_hint, inner in _parts(hint, value):
        yield from objects(inner_hint, inner, f"{at}{name}")


def _is_ours(hint: Any) -> bool:
    return isinstance(hint, type) and (dataclasses.is_dataclass(hint) or issubclass(hint, WireModel | tuple))


def _parts(hint: Any, value: Any) -> list[tuple[str, Any, Any]]:
    arguments = get_args(hint)
    if _is_ours(hint):
        hints = get_type_hints(hint, include_extras=True)
        return [(f".{name}", hints[name], inner) for name, inner in value.items() if name in hints]
    if isinstance(value, list) and get_origin(hint) in (list, tuple):
        return [(f".{number}", arguments[0], inner) for number, inner in enumerate(value)]
    if isinstance(value, dict) and get_origin(hint) is dict:
        return [(f".{name}", arguments[1], inner) for name, inner in value.items()]
    return [("", arm, value) for arm in arguments]


PLACES: Final = [at for at, _, _ in objects(Ledger, json.loads(GOLDEN))]


def test_ledger_is_read_and_written_byte_for_byte() -> None:
    assert dump_ledger(load_ledger(GOLDEN)) == GOLDEN


def test_progress_is_read_and_written_the_same() -> None:
    written = json.loads(GOLDEN)["progress"]

    assert dump_progress(load_progress(written)) == written


def test_every_field_of_every_class_is_shown() -> None:
    shown: dict[type, set[str]] = {}
    for _, class_, written in objects(Ledger, json.loads(GOLDEN)):
        shown.setdefault(class_, set()).update(written)

    assert {each for each in shown if dataclasses.is_dataclass(each)} == {*OURS, VersionChange}
    for each in (*OURS, VersionChange):
        assert shown[each] == {field.name for field in dataclasses.fields(each)} - NEVER_WRITTEN, each


@pytest.mark.parametrize("place", PLACES)
def test_field_that_a_later_version_adds_is_ignored_at_each_depth(place: str) -> None:
    data = json.loads(GOLDEN)
    next(written for at, _, written in objects(Ledger, data) if at == place)[LATER] = {"deep": [1]}

    assert dump_ledger(load_ledger(json.dumps(data).encode())) == GOLDEN
    assert dump_progress(load_progress(data["progress"])) == json.loads(GOLDEN)["progress"]
