"""`spine-temporal plugins` and `spine-temporal doctor`: what is in order, what is not, what to do about it."""

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client

from spine_temporal import AgentWorker
from spine_temporal.testing import dev_server
from tests.rooms.cli.command import CommandLine
from tests.support.agents_at_hand import adding_agent

pytestmark = pytest.mark.durable

SPINE_TOML = """\
[spine]
name = "clerk"
default_model = "offline:planner"
system = "be brief"

[spine.middleware]
chain = ["Stopwatch"]

[spine.plugins.folder]
folder = "x"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "spine.toml").write_text(SPINE_TOML)
    (tmp_path / ".env.example").write_text("# keys\nOTTER_KEY=\n")
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "late.py").write_text("async def agent():\n    raise RuntimeError('no such database')\n")
    return tmp_path


@pytest_asyncio.fixture
async def command(client: Client) -> AsyncIterator[CommandLine]:
    async with CommandLine(client.service_client.config.target_host, f"doctor-{uuid.uuid4().hex}") as command:
        yield command


async def test_plugins_are_listed_without_being_imported(command: CommandLine, site: Path) -> None:
    done = await command("plugins", "--json", environment={"PYTHONPATH": str(site)})

    rows = {row["name"]: row for row in json.loads(done.out)}
    assert done.err == ""
    assert rows["my_provider"] == {
        "kind": "provider",
        "name": "my_provider",
        "distribution": "spine-provider-acme",
        "version": "1.0.0",
        "core_range": "<0.4,>=0.3",
        "problem": None,
        "registers": [],
    }
    assert rows["mw_broken"]["problem"] is None
    assert rows["mw_antique"]["problem"] == (
        "spine-mw-antique 1.0.0 works with spinekit<0.3,>=0.1, installed is spinekit 0.3.0"
    )
    assert {name: row["kind"] for name, row in rows.items() if row["distribution"] != "spinekit"} == {
        "adapter_abacus": "adapter",
        "backend_folder": "backend",
        "backend_temporal": "backend",
        "memory_notes": "backend",
        "mw_antique": "middleware",
        "mw_broken": "middleware",
        "mw_durable_idempotency": "middleware",
        "mw_durable_rate_limit": "middleware",
        "mw_durable_tenant_budget": "middleware",
        "mw_stopwatch": "middleware",
        "my_provider": "provider",
        "offline": "provider",
    }


async def test_plugins_say_what_they_register_when_they_are_asked_to_load(command: CommandLine, site: Path) -> None:
    environment = {"PYTHONPATH": str(site), "SPINE_TEMPORAL_ALLOWED_PLUGINS": "spine-mw-broken,spine-backend-folder"}
    done = await command("plugins", "--load", environment=environment)

    lines = {line.split()[1]: line for line in done.out.splitlines()}
    assert "ok, registers folder, notes" in lines["backend_folder"]
    assert "cannot be imported (RuntimeError: the flux capacitor is missing)" in lines["mw_broken"]
    assert "not on the list of allowed plugins" in lines["my_provider"]
    assert done.err == ""


async def test_doctor_finds_what_is_wrong_and_says_what_to_do(command: CommandLine, project: Path, site: Path) -> None:
    done = await command(
        "doctor", "--project", str(project), *command.queue, "--json", environment={"PYTHONPATH": str(site)}
    )

    found = [(each["level"], each["what"], each["text"], each["fix"]) for each in json.loads(done.out)]
    assert done.code == 1
    assert _said(found, "ok", "server").startswith(f"{command.address}, Temporal ")
    assert _said(found, "ok", "namespace").startswith("default, runs are kept ")
    assert _said(found, "fix", "task queue") == f"nobody polls '{command.queue[1]}'"
    assert "spine-temporal worker --task-queue" in _fix(found, "task queue")
    assert _said(found, "note", "codec").startswith("none")
    assert _said(found, "ok", "interpreter").startswith("Python 3.")
    assert [said for verdict, what, said, _ in found if (verdict, what) == ("note", "spine.toml")] == [
        "[spine.plugins.folder] is set for a plugin that neither the chain nor a backend names",
    ]
    assert _said(found, "ok", "agent clerk") == "made of spine-mw-stopwatch 1.0.0, spinekit 0.3.0"
    assert "RuntimeError: no such database" in _said(found, "fix", "agent late")
    assert [said for verdict, what, said, _ in found if (verdict, what) == ("note", "plugin")] == [
        "spine-mw-antique 1.0.0 works with spinekit<0.3,>=0.1, installed is spinekit 0.3.0: no agent may need it",
        "spine-mw-broken 1.0.0 cannot be imported (RuntimeError: the flux capacitor is missing): no agent may need it",
    ]
    assert "spine-provider-acme 1.0.0" in _said(found, "ok", "plugins")
    assert _said(found, "fix", "OTTER_KEY") == "not set; .env.example names it"
    assert done.err == ""


async def test_doctor_finds_a_misspelt_key(command: CommandLine, project: Path, site: Path) -> None:
    (project / "spine.toml").write_text(SPINE_TOML.replace("system", "sytsem"))

    done = await command(
        "doctor", "--project", str(project), *command.queue, "--json", environment={"PYTHONPATH": str(site)}
    )

    found = [(each["level"], each["what"], each["text"], each["fix"]) for each in json.loads(done.out)]
    assert "unknown key 'sytsem' in [spine]; did you mean 'system'?" in _said(found, "fix", "spine.toml")


async def test_doctor_is_content_when_all_is_in_order(tmp_path: Path) -> None:
    (tmp_path / "spine.toml").write_text('[spine]\ndefault_model = "offline:planner"\nsystem = "${OTTER_KEY}"\n')

    # On a server of its own: on the suite's there may be runs of other tests that nobody here can read.
    async with dev_server() as server:
        command = CommandLine(server.address, "doctor")
        async with AgentWorker(server.client, agents=[adding_agent()], task_queue=command.queue[1]):
            done = await command(
                "doctor", "--project", str(tmp_path), *command.queue, environment={"OTTER_KEY": "very-secret"}
            )

    assert done.code == 0, done.out
    assert f"ok    task queue         {command.queue[1]}, polled by 1 worker, last " in done.out
    assert "ok    OTTER_KEY          set; spine.toml names it" in done.out
    assert "very-secret" not in done.out


async def test_doctor_looks_at_the_project_also_when_no_server_answers(command: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "spine.toml").write_text('[spine]\ndefault_model = "${NOWHERE}"\n')

    done = await command("doctor", "--project", str(tmp_path), "--address", "127.0.0.1:1")

    assert done.code == 1
    assert "fix   server       no Temporal server answers at 127.0.0.1:1; start one with" in done.out
    assert "fix   spine.toml" in done.out
    assert "environment variable 'NOWHERE' referenced in spine.toml is unset" in done.out


type Found = list[tuple[str, str, str, str]]


def _said(found: Found, verdict: str, what: str) -> str:
    [said] = [said for each, about, said, _ in found if (each, about) == (verdict, what)]
    return said


def _fix(found: Found, what: str) -> str:
    return next(fix for _, about, _, fix in found if about == what)
