"""Spine's OTel middleware gives one tree of spans for a run, though its hooks run in several processes."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.features.adapters.processes import Stage
from tests.support.waiting import until

pytestmark = pytest.mark.durable


def spans_in(folder: Path) -> list[dict[str, Any]]:
    file = folder / "spans"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


async def test_spans_of_a_run_whose_worker_is_killed_are_one_connected_tree(stage: Stage) -> None:
    (stage.folder / "linger").touch()
    first = stage.worker()
    run = await stage.agent("own").start("whoami\nlinger\nwhoami")
    await until((stage.folder / "lingering").exists, "the call")
    first.kill()
    first.wait()
    (stage.folder / "linger").unlink()

    stage.worker()
    result = await run.result()

    await until(lambda: any(span["name"] == "spine.run" for span in spans_in(stage.folder)), "the run's span")
    spans = spans_in(stage.folder)
    [root] = [span for span in spans if span["parent_id"] is None]
    below = [span for span in spans if span is not root]
    assert root["name"] == "spine.run"
    assert root["attributes"]["spine.stopped_reason"] == "final"
    assert root["attributes"]["spine.session_id"] == result.state.session_id
    assert {span["parent_id"] for span in below} == {root["context"]["span_id"]}
    assert {span["context"]["trace_id"] for span in spans} == {root["context"]["trace_id"]}
    assert [span["name"] for span in sorted(below, key=lambda span: str(span["start_time"]))] == [
        "spine.model",
        "spine.tool.whoami",
        "spine.model",
        "spine.tool.linger",
        "spine.model",
        "spine.tool.whoami",
        "spine.model",
    ]
    assert root["start_time"] <= min(str(span["start_time"]) for span in below)
    assert root["end_time"] >= max(str(span["end_time"]) for span in below)


async def test_two_runs_are_two_trees(stage: Stage) -> None:
    stage.worker()

    for _ in range(2):
        await stage.run("own", "whoami")

    spans = spans_in(stage.folder)
    roots = [span for span in spans if span["parent_id"] is None]
    assert len({span["context"]["trace_id"] for span in roots}) == 2
    assert len(spans) == 2 * len(["spine.run", "spine.model", "spine.tool.whoami", "spine.model"])
