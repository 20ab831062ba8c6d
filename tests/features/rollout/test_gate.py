"""`spine.gate` and `spine-temporal gate`: whether a version may become current."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from spine_core import Agent
from temporalio.client import Client, WorkflowFailureError
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.common import PinnedVersioningOverride, WorkerDeploymentVersion
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from spine_temporal import __version__
from spine_temporal.agents.registry import AgentRegistry
from spine_temporal.cli.exit_codes import Exit
from spine_temporal.contracts import names
from spine_temporal.worker.gate import gate
from spine_temporal.worker.replay import replay
from tests.features.rollout.agents import clerk
from tests.features.rollout.rollout import Rollout
from tests.rooms.cli.command import PROJECT, CommandLine
from tests.support.waiting import until

pytestmark = pytest.mark.durable

RECORDED = Path(__file__).parents[2] / "replay" / "histories" / __version__ / "tools.json"


async def run_gate(rollout: Rollout, build: str, *arguments: Any) -> Any:
    """As the Worker Controller starts it: pinned to the version that is to become current."""
    return await rollout.client.execute_workflow(
        names.GATE_WORKFLOW,
        args=arguments,
        id=f"test-{rollout.name}-{build}",
        task_queue=rollout.task_queue,
        versioning_override=PinnedVersioningOverride(WorkerDeploymentVersion(rollout.name, build)),
    )


async def test_gate_workflow_passes_a_version_that_can_go_on_with_what_is_open(rollout: Rollout) -> None:
    await rollout.work("v1")
    await rollout.paused(await rollout.start("pay", "open"))
    await rollout.work("v2", current=False)

    report = await run_gate(rollout, "v2")

    assert report == {"agents": ["clerk"], "replayed": 1}


async def test_gate_workflow_fails_a_version_that_lacks_an_agent_with_open_runs(rollout: Rollout) -> None:
    await rollout.work("v1")
    run = await rollout.paused(await rollout.start("pay", "open"))
    await rollout.work("v2", clerk("v2", rollout.folder, name="another"), current=False)

    with pytest.raises(WorkflowFailureError) as failed:
        await run_gate(rollout, "v2", {"histories": 10})

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == names.GATE_CLOSED
    assert f"run {run.workflow_id} is open, and no agent 'clerk'; this worker has: another" in str(failed.value.cause)


async def test_agent_that_cannot_be_built_closes_the_gate(rollout: Rollout) -> None:
    def broken() -> Agent:
        raise LookupError("no such model")

    report = await gate(rollout.client, AgentRegistry({"broken": broken}), rollout.task_queue, histories=10)

    assert (report.agents, report.replayed) == ((), 0)
    assert ["agent 'broken' cannot be built" in each and "no such model" in each for each in report.problems] == [True]


async def test_the_turn_of_the_gate_replays_like_any_run(rollout: Rollout) -> None:
    report = await gate(rollout.client, AgentRegistry({}), rollout.task_queue, histories=10)

    [taken] = [found.id async for found in rollout.client.list_workflows("SpineAgent = 'gate'", limit=1)]
    history = await rollout.client.get_workflow_handle(taken).fetch_history()
    assert (report.problems, (await replay("", history, rollout.client.data_converter)).problem) == ((), None)


class _Holding(ClientInterceptor, Interceptor):
    """No activity of its workers ever gets to its end."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Held(next)


class _Held(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        await asyncio.Event().wait()


async def test_a_turn_that_the_gate_does_not_wait_for_is_not_left_open(rollout: Rollout) -> None:
    config = rollout.client.config()
    config["interceptors"] = [_Holding()]
    running = asyncio.create_task(gate(Client(**config), AgentRegistry({}), rollout.task_queue, histories=10))
    await until(lambda: _found(rollout.client, "SpineAgent = 'gate' AND ExecutionStatus = 'Running'"), "the turn")

    running.cancel()

    terminated = "SpineAgent = 'gate' AND ExecutionStatus = 'Terminated'"
    await until(lambda: _found(rollout.client, terminated), "the end of the turn")
    with pytest.raises(asyncio.CancelledError):
        await running


async def _found(client: Client, query: str) -> int:
    return (await client.count_workflows(query)).count


async def test_command_says_which_history_does_not_replay(rollout: Rollout, tmp_path: Path) -> None:
    changed = tmp_path / "changed.json"
    changed.write_text(RECORDED.read_text().replace('"spine.tool"', '"spine.end"'))
    async with CommandLine(rollout.client.service_client.config.target_host, rollout.task_queue) as command:
        opened = await command("gate", str(RECORDED), "--project", str(PROJECT), "--json")
        closed = await command("gate", str(RECORDED), str(changed), "--project", str(PROJECT))
        on_server = await command("gate", "--project", str(PROJECT), *command.queue)

    assert (opened.code, json.loads(opened.out)["replayed"]) == (Exit.DONE, 1)
    assert (closed.code, "spine-tools" in closed.err, "does not replay" in closed.err) == (Exit.NO_ANSWER, True, True)
    assert (on_server.code, "open" in on_server.out) == (Exit.DONE, True)
