"""The deployable processes."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from temporalio.envconfig import ClientConfig

from tests.deploy.repository import ROOT, service
from workers import agent_worker, tool_worker


class Started(Exception):
    """The worker process would run from here on."""


@pytest.fixture(params=[agent_worker, tool_worker], ids=["agent_worker", "tool_worker"])
def worker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A file of `workers/`, in an environment without settings."""
    for name in ("PROJECT", "TASK_QUEUE", "GRACEFUL_SHUTDOWN_S", "HEALTH_ADDRESS"):
        monkeypatch.delenv(f"SPINE_TEMPORAL_{name}", raising=False)
    assert isinstance(request.param, ModuleType)
    return request.param


@pytest.fixture
def started(worker: ModuleType, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the worker process was started with."""
    given: dict[str, Any] = {}

    def start(**settings: Any) -> None:
        given.update(settings)
        raise Started

    monkeypatch.setattr(worker, "run_worker_process", start)
    return given


@pytest.mark.parametrize("file", sorted((ROOT / "workers").glob("*.py")), ids=lambda file: file.name)
def test_worker_file_has_at_most_thirty_lines(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 30


def test_every_setting_in_the_compose_file_reaches_the_worker(
    worker: ModuleType, started: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {name: f"value-of-{name}" for name in ("SPINE_TEMPORAL_PROJECT", "SPINE_TEMPORAL_TASK_QUEUE")}
    server = {name: f"value-of-{name}" for name in ("TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE")}
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(Started):
        worker.main()
    connection = ClientConfig.load_client_connect_config(disable_file=True, override_env_vars=server)

    assert {str(started["project"]), started["task_queue"]} == set(given.values())
    assert {connection["target_host"], connection["namespace"]} == set(server.values())
    assert {*given, *server} <= set(service("worker")["environment"])


def test_worker_without_settings_serves_the_current_folder_on_the_queue_spine(
    worker: ModuleType, started: dict[str, Any]
) -> None:
    with pytest.raises(Started):
        worker.main()

    assert (started["project"], started["task_queue"]) == (Path(), "spine")
    assert (started["graceful_shutdown_s"], started["health_address"]) == (15, None)
    assert started.get("tools_only", False) is (worker is tool_worker)


def test_setting_that_cannot_be_used_ends_the_process_with_one_line(
    worker: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPINE_TEMPORAL_GRACEFUL_SHUTDOWN_S", "soon")

    with pytest.raises(SystemExit) as ended:
        worker.main()

    assert (
        ended.value.code == "error: SPINE_TEMPORAL_GRACEFUL_SHUTDOWN_S is 'soon'; it is a number of seconds, such as 15"
    )
