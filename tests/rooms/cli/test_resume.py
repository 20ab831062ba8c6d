"""`spine-temporal resume`, `fork`: a run goes on, or another way."""

import json

import pytest
from spine_core import Result
from temporalio.client import Client

from spine_temporal import DurableAgent
from spine_temporal.cli.exit_codes import Exit
from tests.rooms.cli.command import CommandLine, Done

pytestmark = pytest.mark.durable


async def test_resume_approves_and_prints_the_answer(command: CommandLine) -> None:
    await command("run", "cashier", "pay", "--session", "resumed", *command.queue)

    assert await command("resume", "resumed") == Done(Exit.DONE, "Done: paid 5 to acme\n", "")


async def test_resume_takes_the_kernels_words(command: CommandLine) -> None:
    await command("run", "cashier", "pay", "--session", "refused", *command.queue)

    done = await command("resume", "refused", "no", "--json")

    result = Result.model_validate_json(done.out)
    assert (done.code, "rejected" in str(result.answer)) == (Exit.DONE, True), done.err


async def test_who_follows_sees_what_comes_after_the_pause(command: CommandLine) -> None:
    await command("run", "boss", "pay", "--session", "followed", *command.queue)

    done = await command("resume", "followed", "--follow")

    assert done.out == "It says: Done: paid 5 to acme\n"
    told = [line for line in done.err.splitlines() if line]
    assert [line.split()[:2] for line in told] == [["1", "cashier"], ["2", "model"], ["2", "steps"]]


async def test_a_resumed_run_that_pauses_again_says_so(command: CommandLine) -> None:
    await command("run", "cashier", "pay twice", "--session", "again", *command.queue)

    done = await command("resume", "again")

    assert (done.code, done.out) == (Exit.PAUSED, "")
    assert "pay(amount=7, to='emca') · call 1.1 · asked " in done.err
    assert "`spine-temporal approve again` or" in done.err


async def test_the_answer_is_that_of_the_paused_turn_not_of_the_one_behind_it(command: CommandLine) -> None:
    await command("run", "cashier", "pay", "--session", "queued", *command.queue)
    await command("start", "cashier", "hello", "--session", "queued", *command.queue)

    assert (await command("resume", "queued")).out == "Done: paid 5 to acme\n"


async def test_nothing_to_resume_is_refused(command: CommandLine) -> None:
    await command("run", "cashier", "hello", "--session", "over", *command.queue)

    done = await command("resume", "over")

    assert (done.code, done.out) == (Exit.BAD_USAGE, "")
    assert done.err.startswith("error: session 'over': nothing waits for a decision")


async def test_a_fork_goes_its_own_way(command: CommandLine, client: Client) -> None:
    await command("run", "cashier", "hello", "--session", "trunk", *command.queue)

    done = await command("fork", "trunk", "--step", "1", "goodbye", "--session", "branch")

    assert done == Done(Exit.DONE, "branch\n", "")
    result = await DurableAgent("cashier", client).get_run("branch").result()
    said = [message.content for message in result.state.messages if message.role == "user"]
    assert (said, result.answer) == (["hello", "goodbye"], "You said goodbye.")
    shown = (await command("show", "branch")).out
    assert "origin   forked from trunk after step 1" in shown


async def test_a_fork_says_as_json_where_the_new_run_is(command: CommandLine) -> None:
    await command("run", "cashier", "hello", "--session", "stem", *command.queue)

    told = json.loads((await command("fork", "stem", "--step", "0", "--json")).out)

    assert told["workflow_id"] == f"spine-{told['session_id']}"
    origin = json.loads((await command("show", told["session_id"], "--json")).out)["forked_from"]
    assert (origin["run"], origin["step"]) == ("stem", 0)


async def test_a_step_that_was_never_taken_cannot_be_forked_after(command: CommandLine) -> None:
    await command("run", "cashier", "hello", "--session", "short", *command.queue)

    beyond = await command("fork", "short", "--step", "9")
    taken = await command("fork", "short", "--step", "1", "more", "--session", "short")

    assert (beyond.code, taken.code) == (Exit.BAD_USAGE, Exit.BAD_USAGE)
    assert "has taken 1 step; there is nothing after step 9" in beyond.err
    assert "there is a session 'short' already" in taken.err
