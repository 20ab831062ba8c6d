"""A patch turns one JSON object into another, at the cost of what is new."""

from typing import Any

import pytest
from hypothesis import given, settings
from pydantic_core import from_json, to_json

from spine_temporal.journal import patch
from tests.rooms.journal.states import KEYS, OBJECTS, VALUES, Json, as_json

QUICK = settings(max_examples=150, deadline=None, derandomize=True)


@QUICK
@given(old=OBJECTS, new=OBJECTS)
def test_patch_turns_the_old_object_into_the_new(old: Json, new: Json) -> None:
    before = as_json(old)

    made = from_json(to_json(patch.diff(old, new)))

    assert as_json(patch.apply(old, made)) == as_json(new)
    assert as_json(old) == before


@QUICK
@given(old=OBJECTS, key=KEYS, value=VALUES)
def test_patch_tells_an_edit_within_an_object(old: Json, key: str, value: Any) -> None:
    new = old | {key: value}

    assert as_json(patch.apply(old, patch.diff(old, new))) == as_json(new)


@QUICK
@given(value=OBJECTS)
def test_patch_of_what_did_not_change_is_empty(value: Json) -> None:
    assert patch.diff(value, from_json(to_json(value))) == {}


PATCHES: list[tuple[str, Json, Json, Json]] = [
    ("new key", {}, {"a": 1}, {"set": {"a": 1}}),
    ("new value", {"a": 1}, {"a": 2}, {"set": {"a": 2}}),
    ("gone key", {"a": 1, "b": 2}, {"b": 2}, {"del": ["a"]}),
    ("longer list", {"a": [1]}, {"a": [1, 2, 3]}, {"grow": {"a": [2, 3]}}),
    ("list begun", {"a": []}, {"a": [1]}, {"grow": {"a": [1]}}),
    ("shorter list", {"a": [1, 2]}, {"a": [1]}, {"set": {"a": [1]}}),
    ("list with another head", {"a": [1, 2]}, {"a": [2, 3, 4]}, {"set": {"a": [2, 3, 4]}}),
    (
        "inside an object",
        {"a": {"b": {"c": 1}}},
        {"a": {"b": {"c": 2}}},
        {"in": {"a": {"in": {"b": {"set": {"c": 2}}}}}},
    ),
    ("object emptied", {"a": {"b": 1}}, {"a": {}}, {"in": {"a": {"del": ["b"]}}}),
    ("object to list", {"a": {"b": 1}}, {"a": [1]}, {"set": {"a": [1]}}),
    ("number to truth", {"a": 1}, {"a": True}, {"set": {"a": True}}),
    ("integer to fraction", {"a": 1}, {"a": 1.0}, {"set": {"a": 1.0}}),
    ("truth deep in a list", {"a": [[0]]}, {"a": [[False]]}, {"set": {"a": [[False]]}}),
    ("the words of the form as keys", {"set": 1}, {"del": ["set"]}, {"grow": {"del": ["set"]}, "del": ["set"]}),
    ("list that was not there", {}, {"a": [1]}, {"grow": {"a": [1]}}),
    ("empty list that was not there", {}, {"a": []}, {"grow": {"a": []}}),
    ("object that was not there", {}, {"a": {"b": 1}}, {"in": {"a": {"set": {"b": 1}}}}),
    ("empty object that was not there", {}, {"a": {}}, {"in": {"a": {}}}),
]


@pytest.mark.parametrize(("old", "new", "made"), [row[1:] for row in PATCHES], ids=[row[0] for row in PATCHES])
def test_patch_says_only_what_changed(old: Json, new: Json, made: Json) -> None:
    assert as_json(patch.diff(old, new)) == as_json(made)
    assert as_json(patch.apply(old, made)) == as_json(new)


def test_two_appends_made_side_by_side_both_stand() -> None:
    old: Json = {"found": ["a"], "deep": {"list": []}}
    left = patch.diff(old, {"found": ["a", "b"], "deep": {"list": [1]}})
    right = patch.diff(old, {"found": ["a", "c"], "deep": {"list": [2]}})

    assert patch.apply(patch.apply(old, left), right) == {"found": ["a", "b", "c"], "deep": {"list": [1, 2]}}


def test_two_who_begin_one_list_side_by_side_both_stand() -> None:
    left = patch.diff({}, {"found": ["b"], "deep": {"list": [1], "left": True}, "none": []})
    right = patch.diff({}, {"found": ["c"], "deep": {"list": [2]}, "none": []})

    together = patch.apply(patch.apply({}, left), right)

    assert together == {"found": ["b", "c"], "deep": {"list": [1, 2], "left": True}, "none": []}


def test_patch_made_from_another_state_still_applies() -> None:
    made: Json = {"grow": {"list": [1], "text": [2]}, "in": {"object": {"set": {"a": 1}}, "number": {"del": ["b"]}}}

    applied = patch.apply({"text": "words", "number": 3}, made)

    assert applied == {"list": [1], "text": [2], "object": {"a": 1}, "number": {}}


def test_list_that_grew_costs_its_new_item() -> None:
    old: Json = {"history": [f"signature {n}" for n in range(1000)]}

    made = patch.diff(old, {"history": [*old["history"], "signature 1000"]})

    assert len(to_json(made)) < 100
