"""A worker without a version says what code it has loaded."""

import sys
import sysconfig
import uuid
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.worker import worker
from spine_temporal.worker.build_id import build_id
from tests.support.agents_at_hand import adding_agent


def loaded(monkeypatch: pytest.MonkeyPatch, file: Path, content: str) -> str:
    """The id once a module of that content is loaded."""
    module = ModuleType("made_up")
    module.__file__ = str(file)
    file.write_text(content)
    monkeypatch.setitem(sys.modules, "made_up", module)
    return build_id()


def test_it_is_the_same_for_the_same_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first = loaded(monkeypatch, tmp_path / "here.py", "PROMPT = 'be brief'")

    assert loaded(monkeypatch, tmp_path / "there.py", "PROMPT = 'be brief'") == first


def test_it_is_another_one_when_a_letter_of_the_project_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first = loaded(monkeypatch, tmp_path / "made_up.py", "PROMPT = 'be brief'")

    assert loaded(monkeypatch, tmp_path / "made_up.py", "PROMPT = 'be Brief'") != first


def test_of_a_library_its_size_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sysconfig, "get_paths", lambda: dict.fromkeys(sysconfig.get_path_names(), str(tmp_path)))
    first = loaded(monkeypatch, tmp_path / "made_up.py", "VERSION = 1")

    assert loaded(monkeypatch, tmp_path / "made_up.py", "VERSION = 2") == first
    assert loaded(monkeypatch, tmp_path / "made_up.py", "VERSION = 10") != first


def test_a_module_without_a_file_that_can_be_read_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without = build_id()
    for file in (str(tmp_path / "archive.zip" / "made_up.py"), None):
        module = ModuleType("made_up")
        module.__file__ = file
        monkeypatch.setitem(sys.modules, "made_up", module)

        assert build_id() == without


@pytest.mark.durable
@pytest.mark.parametrize("given", [None, "of-the-project"])
async def test_a_history_says_which_code_made_it(
    client: Client, given: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "build_id", lambda: "as-loaded")
    queue, options = uuid.uuid4().hex, dict[str, Any]({} if given is None else {"build_id": given})
    async with AgentWorker(client, agents=[adding_agent()], task_queue=queue, **options):
        run = await DurableAgent("assistant", client, task_queue=queue).start("1 + 2?")
        await run.result()

    history = await client.get_workflow_handle(run.workflow_id).fetch_history()
    tasks = [event.workflow_task_completed_event_attributes for event in history.events]
    assert {task.worker_version.build_id for task in tasks if task.identity} == {given or "as-loaded"}
