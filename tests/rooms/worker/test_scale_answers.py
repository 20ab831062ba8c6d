"""What may be asked of `/scale`, before any server is."""

import json
from collections.abc import Iterator

import pytest

from spine_temporal.worker.health_server import Query
from spine_temporal.worker.scale_answers import ScaleAnswers


@pytest.fixture
def scale() -> Iterator[ScaleAnswers]:
    scale = ScaleAnswers(lambda: None)
    yield scale
    scale.close()


@pytest.mark.parametrize("query", [[], [("build", "build-1")]])
def test_question_that_is_understood_needs_a_server(scale: ScaleAnswers, query: Query) -> None:
    answer = scale("spine", query)

    assert answer.status == 503
    assert json.loads(answer.body)["reason"] == "there is no connection to the server yet"


@pytest.mark.parametrize(
    ("task_queue", "query", "status", "reason"),
    [
        ("", [], 404, "it is /scale/QUEUE, with the name of a task queue"),
        ("q" * 1001, [], 404, "it is /scale/QUEUE, with the name of a task queue"),
        ("spine", [("Build", "build-1")], 400, "after /scale/QUEUE there may be ?build=ID, once, and nothing else"),
        ("spine", [("build", "1"), ("build", "2")], 400, "after /scale/QUEUE there may be ?build=ID, once"),
        ("spine", [("build", "1"), ("verbose", "")], 400, "after /scale/QUEUE there may be ?build=ID, once"),
        ("spine", [("build", "")], 400, "?build= needs a build id: the TEMPORAL_WORKER_BUILD_ID of the workers"),
        ("spine", [("build", "b" * 1001)], 400, "?build= needs a build id"),
    ],
)
def test_question_that_is_not_understood_scales_nothing(
    scale: ScaleAnswers, task_queue: str, query: Query, status: int, reason: str
) -> None:
    answer = scale(task_queue, query)

    assert answer.status == status
    assert json.loads(answer.body)["reason"].startswith(reason)
