"""The worker that AWS Lambda runs."""

import runpy
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from temporalio.contrib.aws.lambda_worker import LambdaWorkerConfig

from spine_temporal import SpinePlugin
from spine_temporal.encryption import new_key
from tests.deploy.repository import ROOT, SAMPLE, run_installed

FOLDER: Final = ROOT / "deploy" / "lambda"


def function() -> dict[str, Any]:
    # Two seconds, of each process that collects tests.
    from cfnlint.decode import decode

    template, problems = decode(str(FOLDER / "template.yaml"))
    assert not problems
    found = template["Resources"]["Worker"]["Properties"]
    assert isinstance(found, dict)
    return found


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The handler as Lambda loads it, with the variables of the template."""
    for name in function()["Environment"]["Variables"]:
        monkeypatch.setenv(name, f"value-of-{name}")
    monkeypatch.setenv("FUNCTION_TIMEOUT_S", "600")
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(SAMPLE))
    monkeypatch.setenv("SPINE_TEMPORAL_KEYS", new_key("k"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    return runpy.run_path(str(FOLDER / "handler.py"))


def test_template_is_what_cloudformation_takes() -> None:
    judged = run_installed("cfn-lint", FOLDER / "template.yaml")

    assert (judged.returncode, judged.stdout) == (0, "")


def test_template_calls_the_handler(handler: dict[str, Any]) -> None:
    module, name = function()["Handler"].split(".")

    assert (FOLDER / f"{module}.py").exists()
    assert callable(handler[name])


def test_worker_of_an_invocation_serves_the_project_and_knows_how_long_it_lives(handler: dict[str, Any]) -> None:
    config = LambdaWorkerConfig()

    handler["configure"](config)

    (plugin,) = config.worker_config["plugins"]
    assert isinstance(plugin, SpinePlugin)
    assert plugin.agents.names == ["assistant", "default"]
    assert config.worker_config["task_queue"] == "spine"
    assert "data_converter" in config.client_connect_config
    assert handler["LONGER_ACTIVITIES_TASK_QUEUE"] == "value-of-SPINE_TEMPORAL_LONGER_ACTIVITIES_TASK_QUEUE"
    assert handler["LONGEST_ACTIVITY_S"] == 600 - config.shutdown_deadline_buffer.total_seconds()


@pytest.mark.parametrize("file", sorted(FOLDER.iterdir()), ids=lambda file: file.name)
def test_file_has_at_most_sixty_lines(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 60
