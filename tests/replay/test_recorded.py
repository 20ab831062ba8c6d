"""This version replays, and reads, the histories of every version before it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory

import spine_temporal
from tests.replay.runs import RUNS
from tests.replay.scenes import SCENES
from tests.replay.stored import (
    FOLDER,
    GUARDS,
    RECORDER,
    Expected,
    Stored,
    all_stored,
    folded,
    guards_of,
    read_guard,
    read_scene,
    scenes_of,
)
from tests.support.harness import replay_in_sandbox

STORED = all_stored()


def test_every_typical_run_is_recorded_for_this_version() -> None:
    assert {stored.name for stored in STORED if stored.version == spine_temporal.__version__} >= RUNS.keys()


@pytest.mark.parametrize("stored", STORED, ids=str)
async def test_recorded_history_replays(stored: Stored) -> None:
    await replay_in_sandbox(stored.history())


def test_every_guard_is_recorded_for_this_version() -> None:
    assert [file.stem for file in guards_of(spine_temporal.__version__)] == sorted(GUARDS)


@pytest.mark.parametrize("file", guards_of("*"), ids=lambda file: file.stem)
async def test_recorded_guard_replays(file: Path) -> None:
    await replay_in_sandbox(read_guard(file))


def test_every_scene_is_recorded_for_this_version() -> None:
    assert {file.parent.name for file in scenes_of(spine_temporal.__version__)} == SCENES.keys()


@pytest.mark.parametrize("file", scenes_of("*"), ids=lambda file: f"{file.parent.name}/{file.stem}")
async def test_recorded_scene_replays(file: Path) -> None:
    await replay_in_sandbox(read_scene(file))


@pytest.mark.parametrize("stored", STORED, ids=str)
async def test_recorded_history_is_folded_to_what_it_was(stored: Stored) -> None:
    assert Expected.of(await folded(stored.history())) == stored.expected()


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.json")), ids=lambda file: str(file.relative_to(FOLDER)))
def test_recorded_history_says_nothing_of_who_recorded_it(file: Path) -> None:
    identities = set(_values_of("identity", json.loads(file.read_text())))

    assert identities <= {RECORDER, "history-service", "history-resetter"}


def _values_of(key: str, value: Any) -> list[Any]:
    if isinstance(value, list):
        return [found for each in value for found in _values_of(key, each)]
    if not isinstance(value, dict):
        return []
    here = [value[key]] if key in value else []
    return here + [found for each in value.values() for found in _values_of(key, each)]


TOOLS = Stored(spine_temporal.__version__, "tools")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"spine.tool"', '"spine.other"'),
        lambda text: text.replace('"activityId": "1.0"', '"activityId": "9.9"'),
    ],
    ids=["another activity", "another activity id"],
)
async def test_history_of_another_workflow_does_not_replay(change: Callable[[str], str]) -> None:
    changed = change(TOOLS.text)
    assert changed != TOOLS.text

    with pytest.raises(Exception, match=r"[Nn]ondeterminism"):
        await replay_in_sandbox(WorkflowHistory.from_json("spine-tools", changed))
