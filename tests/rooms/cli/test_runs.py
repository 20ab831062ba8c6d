"""`spine-temporal list`, `show`, `stop`, `cancel`: the runs on the server."""

import asyncio
import json
from pathlib import Path

import pytest
from spine_core import StopReason
from temporalio.api.workflowservice.v1 import PauseWorkflowExecutionRequest
from temporalio.client import Client

from spine_temporal import DurableAgent
from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.runs import warn_of_unread
from spine_temporal.cli.server import Server
from spine_temporal.client.run_summary import UnreadRun
from spine_temporal.testing import dev_server
from tests.rooms.cli.command import CommandLine, listed
from tests.support.waiting import until

pytestmark = pytest.mark.durable


async def test_show_names_what_is_in_flight_on_which_worker(command: CommandLine, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    await command("start", "waiter", str(gate), "--session", "in-flight", *command.queue)
    await until(gate.with_name("gate.begun").exists, "the tool")

    shown, told = await asyncio.gather(command("show", "in-flight"), command("show", "in-flight", "--json"))
    gate.touch()

    assert f"now      step 1: wait(file='{gate}'), running on " in shown.out
    in_flight = json.loads(told.out)["in_flight"][0]
    assert (in_flight["state"], in_flight["attempt"]) == ("running", 1)
    assert "@" in in_flight["worker"]


async def test_show_prints_the_conversation_the_trace_and_the_cost(command: CommandLine) -> None:
    await command("run", "clerk", "1 + 2?", "--session", "shown", *command.queue)

    shown, by_workflow, told = await asyncio.gather(
        command("show", "shown"), command("show", "spine-shown"), command("show", "shown", "--json")
    )

    story, same = (done.out.partition("\n\n")[2] for done in (shown, by_workflow))
    assert story == same
    lines = [line.strip() for line in shown.out.splitlines()]
    for expected in (
        "agent    clerk",
        "status   idle",
        "turn     1",
        "→ add(a=1, b=2)",
        "It is 3.",
        "user",
        "1 + 2?",
        "trace",
    ):
        assert expected in lines
    run = json.loads(told.out)
    assert (run["status"], run["reason"], run["answer"]) == ("idle", "final", "It is 3.")
    # Of the first of its two answers, nobody has said what it cost.
    assert (run["usage"]["cost_usd"], run["usage"]["known_cost_usd"], run["cost_usd"]) == (None, 0.25, None)
    assert "usage    2 steps · 30 tokens · $0.2500, and 15 tokens of unknown price" in lines
    assert [message["role"] for message in run["state"]["messages"]] == ["user", "assistant", "tool", "assistant"]
    assert run["trace"][-1]["type"] == "final"
    assert run["bytes"] > 1000


async def test_show_knows_a_run_from_another_workflow(command: CommandLine, client: Client) -> None:
    await client.start_workflow("somebody.elses", id="theirs", task_queue="nobody")

    absent, theirs = await asyncio.gather(command("show", "absent"), command("show", "theirs"))

    assert (absent.code, theirs.code) == (Exit.NO_SUCH_RUN, Exit.NO_SUCH_RUN)
    assert absent.err.startswith("error: no run 'absent' in namespace 'default'; `spine-temporal list`")
    assert "is a 'somebody.elses', not a run of an agent" in theirs.err


async def test_list_prints_the_runs_newest_first(command: CommandLine, client: Client) -> None:
    await command("run", "clerk", "1 + 2?", "--session", "older", *command.queue)
    await command("run", "looping", "go", "--session", "newer", *command.queue)
    await command("stop", "newer")
    await known(client, "newer", "Completed")

    told, table = await asyncio.gather(command("list", "--limit", "1000", "--json"), command("list", "--limit", "1000"))

    runs = json.loads(told.out)
    assert [run["session_id"] for run in runs if run["session_id"] in ("older", "newer")] == ["newer", "older"]
    newer = next(run for run in runs if run["session_id"] == "newer")
    assert (newer["agent"], newer["status"], newer["reason"]) == ("looping", "completed", "max_steps")
    assert newer["events"] > 10
    assert any(line.split()[:4] == ["newer", "looping", "completed:", "max_steps"] for line in table.out.splitlines())


async def test_list_can_be_narrowed(command: CommandLine, client: Client) -> None:
    await command("run", "down", "go", "--session", "narrow", *command.queue)
    await command("stop", "narrow")
    await known(client, "narrow", "Completed")

    of_agent, running, one = await asyncio.gather(
        command("list", "--agent", "down", "--json"),
        command("list", "--status", "running", "--json"),
        command("list", "--limit", "1", "--json"),
    )

    assert {run["agent"] for run in json.loads(of_agent.out)} == {"down"}
    assert "narrow" not in [run["session_id"] for run in json.loads(running.out)]
    assert len(json.loads(one.out)) == 1


async def test_list_separates_what_waits_for_a_person_from_what_waits_for_a_turn(
    command: CommandLine, client: Client, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    await command("start", "waiter", str(gate), "--session", "at-work", *command.queue)
    await command("run", "cashier", "pay", "--session", "undecided", *command.queue)
    await command("run", "cashier", "hello", "--session", "spoken", *command.queue)
    await listed(client, "undecided", "paused")
    await listed(client, "spoken", "idle")

    running, paused, idle = [
        [run["session_id"] for run in json.loads(done.out)]
        for done in await asyncio.gather(
            *(command("list", "--limit", "1000", "--status", each, "--json") for each in ("running", "paused", "idle"))
        )
    ]
    gate.touch()

    ours = ("at-work", "undecided", "spoken")
    assert [[each for each in ours if each in some] for some in (running, paused, idle)] == [
        ["at-work"],
        ["undecided"],
        ["spoken"],
    ]


async def test_list_knows_a_run_that_was_started_by_hand(alone: CommandLine, client: Client) -> None:
    await client.start_workflow(
        "spine.agent", {"agent": "clerk", "input": "hi"}, id="by-hand", task_queue="nobody", memo={"spine": "garbage"}
    )
    await listed(client, "by-hand", "running")

    told = json.loads((await alone("list", "--agent", "clerk", "--status", "running", "--json")).out)

    assert [(run["agent"], run["input"]) for run in told if run["session_id"] == "by-hand"] == [("clerk", "hi")]


async def test_a_run_paused_on_the_server_is_listed_and_shown() -> None:
    async with (
        dev_server(dynamic_config={"frontend.WorkflowPauseEnabled": True}) as server,
        CommandLine(server.address, "nobody-polls") as alone,
    ):
        await alone("start", "clerk", "hi", "--session", "paused", *alone.queue)
        await server.client.workflow_service.pause_workflow_execution(
            PauseWorkflowExecutionRequest(namespace="default", workflow_id="spine-paused", request_id="1")
        )

        await known(server.client, "paused", "Paused")

        told, shown, listed_, health, summed = await asyncio.gather(
            alone("list", "--status", "suspended", "--json"),
            alone("show", "paused"),
            alone("list", "--agent", "clerk"),
            alone("doctor", "--json"),
            alone("stats", "--status", "suspended", "--json"),
        )

    assert [(run["session_id"], run["status"]) for run in json.loads(told.out)] == [("paused", "suspended")]
    assert "status   suspended" in shown.out
    assert " suspended " in listed_.out
    assert "nobody polls" in health.out
    assert (health.err, json.loads(summed.out)["unindexed_runs"]) == ("", 0), health.err


async def test_stop_ends_a_run_at_its_next_step(command: CommandLine, client: Client, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    await command("start", "waiter", str(gate), "--session", "stopped", *command.queue)
    await until(gate.with_name("gate.begun").exists, "the tool")

    stopped = await command("stop", "stopped")
    gate.touch()

    assert (stopped.code, stopped.out) == (Exit.DONE, "run stopped ends when the step in hand is done\n"), stopped.err
    assert (await DurableAgent("waiter", client).get_run("stopped").result()).stopped_reason is StopReason.CANCELLED
    assert (await command("stop", "stopped")).out == "session stopped is closed\n"
    assert (await command("stop", "stopped")).out == "run stopped has ended before: cancelled\n"


async def test_a_run_that_waits_for_a_decision_can_be_stopped_without_one(command: CommandLine) -> None:
    await command("run", "cashier", "pay", "--session", "given-up", *command.queue)

    stopped = await command("stop", "given-up")

    assert stopped.out == "run given-up ends without the decision that it waits for\n"


async def test_an_idle_session_is_closed_by_cancel_too(command: CommandLine, client: Client) -> None:
    await command("run", "clerk", "1 + 2?", "--session", "left-open", *command.queue)

    cancelled = await command("cancel", "left-open")

    assert cancelled.out == "session left-open is closed\n"
    await known(client, "left-open", "Canceled")


async def test_cancel_ends_a_run_with_its_tool_in_flight(command: CommandLine, client: Client, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    await command("start", "waiter", str(gate), "--session", "cancelled", *command.queue)
    await until(gate.with_name("gate.begun").exists, "the tool")

    cancelled = await command("cancel", "cancelled")

    assert (cancelled.code, cancelled.out) == (Exit.DONE, "run cancelled is being cancelled\n"), cancelled.err
    assert (await DurableAgent("waiter", client).get_run("cancelled").result()).stopped_reason is StopReason.CANCELLED


async def test_a_run_that_is_not_there_cannot_be_ended(command: CommandLine) -> None:
    stopped, cancelled = await asyncio.gather(command("stop", "absent"), command("cancel", "absent"))

    assert (stopped.code, cancelled.code) == (Exit.NO_SUCH_RUN, Exit.NO_SUCH_RUN), stopped.err


async def known(client: Client, session: str, status: str) -> None:
    """Wait until the server's index, which is a moment behind, has the run in that state."""
    query = f"WorkflowId = 'spine-{session}' AND ExecutionStatus = '{status}'"

    async def count() -> int:
        return (await client.count_workflows(query)).count

    await until(count, f"{session} as {status} in the server's index")


def test_what_could_not_be_read_is_counted_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    unread = [UnreadRun(id=name, problem="its key is not here") for name in ("a", "b")]

    warn_of_unread(Server(address="there:7233"), unread)
    warn_of_unread(Server(), [])

    assert capsys.readouterr().err == (
        "warning: 2 runs could not be read (its key is not here); "
        "`spine-temporal show a --address there:7233` says more\n"
    )
