"""The settings of a worker process say what they hold, or why they cannot."""

from pathlib import Path

import pytest

from spine_temporal.errors import BadInput
from spine_temporal.worker.grace import grace_period_s
from spine_temporal.worker.settings import worker_settings


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PROJECT", "TASK_QUEUE", "HEALTH_ADDRESS", "GRACEFUL_SHUTDOWN_S", "LOOP_HELD_S", "LOG_JSON"):
        monkeypatch.delenv(f"SPINE_TEMPORAL_{name}", raising=False)


def test_nothing_set_means_the_defaults() -> None:
    assert worker_settings() == {
        "project": Path(),
        "task_queue": "spine",
        "graceful_shutdown_s": 15,
        "health_address": None,
        "loop_held_s": 30,
        "log_json": False,
    }


def test_everything_that_is_set_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "PROJECT": "/project",
        "TASK_QUEUE": "gpu",
        "HEALTH_ADDRESS": "[::]:8080",
        "GRACEFUL_SHUTDOWN_S": "2.5",
        "LOOP_HELD_S": "60",
        "LOG_JSON": "yes",
        "ACTIVITY_SLOTS": "20",
        "CACHE_BYTES": "0",
        "POLLER_AUTOSCALING": "1",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"SPINE_TEMPORAL_{name}", value)

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://collector:4317")

    assert worker_settings() == {
        "project": Path("/project"),
        "task_queue": "gpu",
        "graceful_shutdown_s": 2.5,
        "health_address": "[::]:8080",
        "loop_held_s": 60,
        "log_json": True,
        "max_concurrent_activities": 20,
        "cache_bytes": 0,
        "poller_autoscaling": True,
        "otlp_metrics_url": "http://collector:4317",
    }


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("GRACEFUL_SHUTDOWN_S", "-1", "it is a number of seconds, such as 15"),
        ("GRACEFUL_SHUTDOWN_S", "inf", "it is a number of seconds, such as 15"),
        ("GRACEFUL_SHUTDOWN_S", "1e300", "it is a number of seconds, such as 15"),
        ("LOOP_HELD_S", "nan", "it is a number of seconds, such as 30"),
        ("LOOP_HELD_S", "0", "it is a number of seconds, such as 30"),
        ("ACTIVITY_SLOTS", "0", "it is a whole number from 1"),
        ("CACHE_BYTES", "256MB", "it is a whole number from 0"),
        ("LOG_JSON", "perhaps", "it is 1 or 0"),
        ("POLLER_AUTOSCALING", "on", "it is 1 or 0"),
    ],
)
def test_value_that_means_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(f"SPINE_TEMPORAL_{name}", value)

    with pytest.raises(BadInput, match=f"SPINE_TEMPORAL_{name} is '{value}'; {reason}"):
        worker_settings()


def test_grace_period_leaves_time_for_what_is_in_flight_and_for_the_end() -> None:
    assert (grace_period_s(), grace_period_s(300)) == (30, 315)
