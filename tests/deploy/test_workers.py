"""The deployable processes."""

from pathlib import Path
from typing import Any

import pytest
from temporalio.envconfig import ClientConfig

from tests.deploy.repository import ROOT, service
from workers import agent_worker


class Started(Exception):
    """The worker process would run from here on."""


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the worker process was started with."""
    seen: dict[str, Any] = {}

    def start(project: Path, **settings: Any) -> None:
        seen.update(settings, project=project)
        raise Started

    monkeypatch.setattr(agent_worker, "run_worker_process", start)
    return seen


@pytest.mark.parametrize("file", sorted((ROOT / "workers").glob("*.py")), ids=lambda file: file.name)
def test_worker_file_has_at_most_thirty_lines(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 30


def test_every_setting_in_the_compose_file_reaches_the_worker(
    started: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    read_elsewhere = {"SPINE_TEMPORAL_KEY_FILE", "SAMPLE_TOOLS_TASK_QUEUE"}
    given = {name: f"value-of-{name}" for name in service("worker")["environment"] if name not in read_elsewhere}
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(Started):
        agent_worker.main()
    connection = ClientConfig.load_client_connect_config(disable_file=True, override_env_vars=given)

    arrived = {str(started["project"]), started["task_queue"], connection["target_host"], connection["namespace"]}
    assert arrived == set(given.values())


def test_worker_without_settings_serves_the_current_folder_on_the_queue_spine(
    started: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPINE_TEMPORAL_PROJECT", raising=False)
    monkeypatch.setenv("SPINE_TEMPORAL_TASK_QUEUE", "")

    with pytest.raises(Started):
        agent_worker.main()

    assert (started["project"], started["task_queue"]) == (Path(), "spine")
