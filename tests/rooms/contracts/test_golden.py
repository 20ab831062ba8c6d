"""What an earlier version wrote is read by this one, and written the same."""

import json
from pathlib import Path
from typing import Any

import pytest

from spine_temporal.contracts.base import WireModel, dump, load
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


def _with_unknown_fields(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_unknown_fields(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _with_unknown_fields(each) for key, each in value.items()}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_field_that_a_later_version_adds_is_ignored(file: Path) -> None:
    golden = file.read_bytes().rstrip(b"\n")
    later = json.dumps({**json.loads(golden), "added_by_a_later_version": {"deep": [1]}}).encode()

    assert dump(load(model_of(file), later)) == golden
