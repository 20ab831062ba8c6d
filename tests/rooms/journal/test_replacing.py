"""Copies with some fields replaced are what the standard functions make."""

import dataclasses

import pytest
from spine_core import Message, State, ToolCall

from spine_temporal.journal.counters import Progress
from spine_temporal.journal.replacing import copied, replace

STATE = State(session_id="s", messages=[Message.user("hello")], scratch={"seen": [1]})


def test_copy_of_a_dataclass_is_what_the_standard_function_makes() -> None:
    progress = Progress(revision="a", step=2)

    assert replace(progress, revision="b", turn=3) == dataclasses.replace(progress, revision="b", turn=3)
    assert progress == Progress(revision="a", step=2)


def test_a_field_that_there_is_not_is_named() -> None:
    with pytest.raises(TypeError, match=r"Progress has no field \['stpe'\]"):
        replace(Progress(), stpe=2)  # type: ignore[call-arg]


@pytest.mark.parametrize("model", [STATE, ToolCall(id="1", name="find"), Message.assistant("found")])
def test_copy_of_a_model_is_what_pydantic_makes(model: State | ToolCall | Message) -> None:
    made, expected = copied(model), model.model_copy()

    assert made == expected
    assert made is not model
    assert made.model_fields_set == expected.model_fields_set
    assert made.model_dump_json(exclude_unset=True) == expected.model_dump_json(exclude_unset=True)
    assert copied(made) == expected


def test_replaced_fields_are_set_in_the_copy_alone() -> None:
    made, expected = copied(STATE, step=4, tenant_id="acme"), STATE.model_copy(update={"step": 4, "tenant_id": "acme"})

    assert made == expected
    assert made.model_fields_set == expected.model_fields_set
    assert STATE.step == 0
    assert "step" not in STATE.model_fields_set
    made.step = 5
    assert made.messages is STATE.messages
