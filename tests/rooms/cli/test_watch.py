"""`spine-temporal watch`, and `run --stream`: what the model writes, as it writes it."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from spine_core import Result
from temporalio.client import Client

from spine_temporal import DurableAgent
from spine_temporal.cli.exit_codes import Exit
from tests.rooms.cli.command import CommandLine, Done

pytestmark = pytest.mark.durable


async def test_the_answer_is_printed_once_while_it_is_written(command: CommandLine) -> None:
    done = await command("run", "poet", "spring", "--stream", *command.queue)

    assert done == Done(Exit.DONE, "Verse 1: spring it was.\n", "")


async def test_an_answer_that_is_not_streamed_is_printed_when_it_is_there(command: CommandLine) -> None:
    done = await command("run", "clerk", "1 + 2?", "--stream", "--follow", *command.queue)

    assert (done.code, done.out.split("\n")) == (Exit.DONE, ["It is 3.", ""]), done.err
    assert "add(a=1, b=2) → 3" in done.err


async def test_json_is_every_event_then_the_result(command: CommandLine, client: Client) -> None:
    done = await command("run", "poet", "summer", "--session", "poet-json", "--stream", "--json", *command.queue)

    *events, result = [json.loads(line) for line in done.out.splitlines()]
    run = DurableAgent("poet", client).get_run("poet-json")
    assert Result.model_validate(result) == await run.result()
    assert "".join(event["data"]["delta"] for event in events if event["type"] == "token") == "Verse 1: summer it was."
    whole = [event.id async for event in run.events()]
    assert [event["id"] for event in events if event["type"] != "token"] == whole


async def test_who_watches_reads_along_from_wherever_the_run_is(command: CommandLine, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    started = await command("start", "poet", f"{gate} autumn", "--session", "watched-poet", *command.queue)
    assert started.code == Exit.DONE, started.err
    watching = await command.start("watch", "watched-poet", "--follow")
    gate.touch()

    assert await watching.ended() == Exit.DONE, watching.lines
    assert f"Verse 1: {gate} autumn it was." in "".join(watching.lines)


async def test_who_watches_may_go_on_behind_an_event(command: CommandLine) -> None:
    done = await command("run", "poet", "winter", "--session", "poet-after", "--stream", "--json", *command.queue)
    events = [json.loads(line) for line in done.out.splitlines()[:-1]]

    rest = await command("watch", "poet-after", "--json", "--after", events[1]["id"])

    told = [json.loads(line) for line in rest.out.splitlines()[:-1]]
    assert [each["id"] for each in told if each["type"] != "token"] == [
        each["id"] for each in events[2:] if each["type"] != "token"
    ]


async def test_a_pause_ends_it_and_says_how_to_decide(command: CommandLine) -> None:
    await command("start", "cashier", "pay", "--session", "watched-pause", *command.queue)

    done = await command("watch", "watched-pause")

    assert done.code == Exit.PAUSED
    assert "`spine-temporal approve watched-pause`" in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["watch", "nobody"], Exit.NO_SUCH_RUN, "no run 'nobody'"),
        (["watch", "poet-bad", "--after", "yesterday"], Exit.BAD_USAGE, "'yesterday' is no id of an event"),
    ],
)
async def test_what_is_not_there_is_said(command: CommandLine, arguments: list[str], code: int, says: str) -> None:
    await command("run", "poet", "x", "--session", "poet-bad", *command.queue)

    done = await command(*arguments)

    assert (done.code, done.out) == (code, "")
    assert says in done.err


async def test_ctrl_c_leaves_the_run_alone(command: CommandLine, client: Client, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    poet = DurableAgent("poet", client, task_queue=command.queue[1])
    run = await poet.start(f"{gate} again", session_id="left-poet", tokens=True)
    watching = await command.talk("watch", "left-poet")
    await watching.shows("Verse 1: ")
    watching.press_ctrl_c()
    await watching.shows("The run goes on")
    assert await watching.ended() == Exit.CTRL_C
    gate.touch()

    result = await asyncio.wait_for(run.result(), 60)
    assert result.answer == f"Verse 1: {gate} again it was."


async def test_whoever_reads_no_further_hears_nothing_more(command: CommandLine) -> None:
    await command("run", "clerk", "hello", "--session", "unread", *command.queue)
    read, written = os.pipe()
    os.close(read)

    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("spine-temporal")),
        *("watch", "unread", "--json", "--address", command.address),
        stdout=written,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(written)
    _, said = await process.communicate()

    assert (process.returncode, said) == (Exit.DONE, b"")
