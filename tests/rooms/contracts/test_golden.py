"""What an earlier version wrote is read by this one, and written the same."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from spine_temporal.contracts.base import GivenModel, WireModel, dump, load, load_given
from spine_temporal.contracts.run_request import AgentSpec
from tests.rooms.contracts.golden import FILES, FOLDER, model_of, wire_models


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_golden_file_is_read_and_written_byte_for_byte(file: Path) -> None:
    golden = file.read_bytes().rstrip(b"\n")

    assert dump(load(model_of(file), golden)) == golden


@pytest.mark.parametrize("model", wire_models(), ids=lambda model: model.__name__)
def test_golden_files_show_every_field_of_every_model(model: type[WireModel]) -> None:
    shown: set[str] = set()
    for file in FOLDER.glob(f"{model.__name__}.*"):
        shown |= json.loads(file.read_bytes()).keys()

    assert shown == set(model.model_fields)


GIVEN_TO_US = [file for file in FILES if issubclass(model_of(file), GivenModel)]


def _with_unknown_field(file: Path) -> bytes:
    return json.dumps({**json.loads(file.read_bytes()), "added_by_a_later_version": {"deep": [1]}}).encode()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_field_that_a_later_version_adds_is_ignored(file: Path) -> None:
    golden = file.read_bytes().rstrip(b"\n")

    assert dump(load(model_of(file), _with_unknown_field(file))) == golden


@pytest.mark.parametrize("file", GIVEN_TO_US, ids=lambda file: file.name)
def test_unknown_field_of_what_a_person_or_a_program_sends_is_an_error(file: Path) -> None:
    with pytest.raises(ValidationError, match="added_by_a_later_version"):
        load_given(model_of(file), _with_unknown_field(file))


def test_unknown_field_deep_in_what_is_recorded_is_ignored() -> None:
    guards = b'{"max_steps":12,"max_cost_usd":null,"max_tokens":null,"timeout_s":null,"max_depth":8}'
    data = b'{"agent":"a","guards":' + guards + b',"step_policy":{"attempts":3,"added_by_a_later_version":1}}'

    assert load(AgentSpec, data).step_policy.attempts == 3
