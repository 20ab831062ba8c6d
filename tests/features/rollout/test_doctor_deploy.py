"""`spine-temporal doctor --deploy`: each line is ok, or says what to do."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from temporalio.api.workflowservice.v1 import PauseWorkflowExecutionRequest
from temporalio.client import Client

from spine_temporal.cli import doctor_deploy
from spine_temporal.cli.doctor_deploy import check_deploy, key_age
from spine_temporal.cli.doctor_finding import Finding, Level
from spine_temporal.cli.server import Server
from spine_temporal.connection.clock import clock_skew_s
from tests.features.rollout.rollout import Rollout
from tests.rooms.cli.command import PROJECT, CommandLine

pytestmark = pytest.mark.durable

KEY = base64.b64encode(bytes(32)).decode()
NOW = datetime(2026, 11, 29, tzinfo=UTC)


async def found(rollout: Rollout) -> dict[str, Finding]:
    server = Server(address=rollout.client.service_client.config.target_host)
    return {each.what: each for each in await check_deploy(server, rollout.name)}


async def test_versions_with_their_workers_and_pinned_runs_are_ok_or_say_what_to_do(rollout: Rollout) -> None:
    await rollout.work("v1")
    run = await rollout.paused(await rollout.start("pay", "open"))
    before = await found(rollout)
    await rollout.work("v2")

    beside = await found(rollout)
    await rollout.drain("v1")
    await rollout.until_drained("v1")
    after = await found(rollout)

    assert {(each.what, each.level) for each in before.values()} == {
        ("deployment", Level.OK),
        ("version v1", Level.OK),
        ("clock", Level.OK),
    }
    assert (beside["version v1"].level, "1 pinned run" in beside["version v1"].text) == (Level.NOTE, True)
    assert f"drain --build v1 --deployment {rollout.name}" in beside["version v1"].fix
    assert (after["version v1"].level, "can be stopped" in after["version v1"].text) == (Level.OK, True)
    assert (after["version v2"].level, after["deployment"].text.endswith("v2 is current")) == (Level.OK, True)
    assert await rollout.build_of(run) == "v2"


async def test_a_suspended_run_on_a_drained_version_is_to_be_fixed(rollout: Rollout) -> None:
    await rollout.work("v1")
    run = await rollout.paused(await rollout.start("pay", "asleep"))
    await rollout.client.workflow_service.pause_workflow_execution(
        PauseWorkflowExecutionRequest(namespace="default", workflow_id=run.workflow_id, request_id="1")
    )
    await rollout.work("v2")
    await rollout.until_drained("v1")

    version = (await found(rollout))["version v1"]

    assert (version.level, "suspended" in version.text, "keep its workers" in version.fix) == (Level.FIX, True, True)


async def test_command_has_the_lines_of_the_deployment_beside_the_others(rollout: Rollout) -> None:
    await rollout.work("v1")
    async with CommandLine(rollout.client.service_client.config.target_host, rollout.task_queue) as command:
        done = await command(
            "doctor", "--deployment", rollout.name, "--project", str(PROJECT), "--json", *command.queue
        )
        none = await command("doctor", "--deploy", "--deployment", "nobody", "--project", str(PROJECT), "--json")

    lines = {each["what"]: each["level"] for each in json.loads(done.out)}
    assert {lines[what] for what in ("server", "search attributes", "deployment", "version v1", "clock")} == {"ok"}
    [missing] = [each for each in json.loads(none.out) if each["what"] == "deployment"]
    assert (missing["level"], "no worker deployment 'nobody'" in missing["text"]) == ("note", True)


async def test_a_clock_that_is_off_is_measured_without_a_trace_on_the_server(
    versioned: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [found.id async for found in versioned.list_workflows("TaskQueue STARTS_WITH 'spine-clock-'")]
    skew_s = await clock_skew_s(versioned)

    async def ahead(_: Client) -> float:
        return 90.0

    monkeypatch.setattr(doctor_deploy, "clock_skew_s", ahead)
    off = await doctor_deploy._clock(versioned)

    assert (before, skew_s is not None and abs(skew_s) < 5) == ([], True)
    assert (off.level, off.text) == (Level.FIX, "1 min 30 s ahead of the server's")


@pytest.mark.parametrize(
    ("id_", "level", "text"),
    [
        ("2026-11-01-ab12", Level.OK, "28 days old"),
        ("2025-01-01", Level.FIX, "697 days old"),
        ("prod", Level.NOTE, "its name has no date"),
        ("2026-13-45", Level.NOTE, "its name has no date"),
    ],
)
def test_key_age_is_that_of_the_key_that_writes(
    monkeypatch: pytest.MonkeyPatch, id_: str, level: Level, text: str
) -> None:
    monkeypatch.setenv("SPINE_TEMPORAL_KEYS", f"{id_}:{KEY},2020-01-01:{KEY}")

    age = key_age(NOW)

    assert age is not None
    assert (age.level, text in age.text, KEY in f"{age}") == (level, True, False)


def test_a_key_without_a_date_is_as_old_as_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"prod:{KEY}\n")
    monkeypatch.setenv("SPINE_TEMPORAL_KEY_FILE", str(file))

    age = key_age()

    assert age is not None
    assert (age.level, "0 days old" in age.text) == (Level.OK, True)
