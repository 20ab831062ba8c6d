"""`spine-temporal chat`: a conversation in the terminal."""

from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from spine_temporal import Decision, DurableAgent
from spine_temporal.cli.exit_codes import Exit
from tests.rooms.cli.command import CommandLine
from tests.support.waiting import until

pytestmark = pytest.mark.durable


async def test_lines_from_a_pipe_are_turns_of_one_session(command: CommandLine, client: Client) -> None:
    done = await command("chat", "poet", "--session", "piped", *command.queue, stdin="one\n\ntwo\n/cost\n")

    assert (done.code, done.err) == (Exit.DONE, "")
    assert done.out == "Verse 1: one it was.\nVerse 2: two it was.\n2 steps · 0 tokens\n"
    assert (await DurableAgent("poet", client).get_run("piped").state()).step == 2


async def test_who_leaves_may_come_back(command: CommandLine) -> None:
    talking = await command.talk("chat", "poet", "--session", "left-and-back", *command.queue)
    await talking.shows("poet · session left-and-back")
    await talking.shows("> ")
    talking.type("one")
    await talking.shows("Verse 1: one it was.")
    await talking.shows("> ")
    assert await talking.ended() == Exit.DONE
    assert "`spine-temporal chat poet --session left-and-back` goes on with it" in talking.shown

    done = await command("chat", "poet", "--session", "left-and-back", *command.queue, stdin="two\n")
    assert done.out == "Verse 2: two it was.\n"


async def test_a_call_that_needs_approval_is_asked_about(command: CommandLine) -> None:
    talking = await command.talk("chat", "cashier", "--session", "asked", *command.queue)
    await talking.shows("> ")
    talking.type("pay twice")
    await talking.shows("pay(amount=5, to='acme')")
    await talking.shows("approve?")
    talking.type("y")
    await talking.shows("pay(amount=7, to='emca')")
    await talking.shows("approve?")
    talking.type("too much")
    await talking.shows("Done: ")
    await talking.shows("too much")
    await talking.shows("> ")
    talking.type("ask")
    await talking.shows("asks: Which account?")
    await talking.shows("your answer:")
    talking.type("the blue one")
    await talking.shows("Done: the blue one")
    await talking.shows("> ")
    assert await talking.ended() == Exit.DONE


async def test_a_decision_may_wait_and_is_asked_for_again(command: CommandLine) -> None:
    done = await command("chat", "cashier", "--session", "undecided", *command.queue, stdin="pay\n\nhello\ny\n/quit\n")
    assert done.out == "Done: paid 5 to acme\n", done.err

    left = await command("chat", "cashier", "--session", "left-undecided", *command.queue, stdin="pay\n")
    assert left.out == ""
    back = await command("chat", "cashier", "--session", "left-undecided", *command.queue, stdin="y\n")
    assert back.out == "Done: paid 5 to acme\n", back.err


async def test_what_somebody_else_has_decided_is_asked_about_no_more(command: CommandLine, client: Client) -> None:
    talking = await command.talk("chat", "cashier", "--session", "decided-elsewhere", *command.queue)
    await talking.shows("> ")
    talking.type("pay twice")
    await talking.shows("pay(amount=5, to='acme')")
    await talking.shows("approve?")
    run = DurableAgent("cashier", client).get_run("decided-elsewhere")
    await run.decide(Decision(decided_by="anna"), "1.0")

    talking.type("y")
    await talking.shows("was approved by anna")
    await talking.shows("pay(amount=7, to='emca')")
    await talking.shows("approve?")
    await run.decide(Decision(decided_by="ben"), "1.1")
    talking.type("y")
    await talking.shows("the turn goes on without it")
    await talking.shows("Done: paid 7 to emca")
    await talking.shows("> ")
    assert await talking.ended() == Exit.DONE


async def test_a_command_is_one_also_where_a_decision_is_asked_for(command: CommandLine, client: Client) -> None:
    typed = "pay\n/cost\n/stop\npay twice\n/undo\nask\nblue\n/quit\n"

    done = await command("chat", "cashier", "--session", "commands", *command.queue, stdin=typed)

    assert done.out == "1 step · 15 tokens · cost unknown\nDone: blue\n", done.err
    run = DurableAgent("cashier", client).get_run("commands")
    assert [each.tool for each in await run.pending()] == ["pay", "pay"], "it was left, and waits"
    await run.stop()


async def test_ctrl_c_stops_the_turn_and_not_the_session(command: CommandLine, client: Client, tmp_path: Path) -> None:
    gate, signalled = tmp_path / "gate", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED

    async def asked_to_stop() -> bool:
        history = await client.get_workflow_handle("spine-stopped").fetch_history()
        return signalled in [event.event_type for event in history.events]

    talking = await command.talk("chat", "waiter", "--session", "stopped", *command.queue)
    await talking.shows("> ")
    talking.type(str(gate))
    await until(Path(f"{gate}.begun").exists, "the tool")
    talking.press_ctrl_c()
    await talking.shows("stopping at the next step")
    await until(asked_to_stop, "the stop")
    gate.touch()
    await talking.shows("cancelled")
    await talking.shows("> ")
    talking.type(str(gate))
    await talking.shows("It is there.")
    await talking.shows("> ")
    assert await talking.ended() == Exit.DONE


async def test_a_second_ctrl_c_ends_the_turn_at_once(command: CommandLine, tmp_path: Path) -> None:
    talking = await command.talk("chat", "poet", "--session", "ended-at-once", *command.queue)
    await talking.shows("> ")
    talking.type(f"{tmp_path / 'never'} comes")
    await talking.shows("Verse 1: ")
    talking.press_ctrl_c()
    await talking.shows("stopping at the next step")
    talking.press_ctrl_c()
    await talking.shows("ending it now")
    await talking.shows("cancelled")
    await talking.shows("> ")
    talking.type("but this")
    await talking.shows("but this it was.")
    await talking.shows("> ")
    assert await talking.ended() == Exit.DONE


async def test_the_last_turn_is_undone_and_said_anew(command: CommandLine, client: Client) -> None:
    lines = "one\ntwo\n/undo\nthree\n/undo\n/undo\nfour\n/undo\n/undo\n"
    done = await command("chat", "poet", "--session", "undone", *command.queue, stdin=lines)

    assert done.out.splitlines() == [
        "Verse 1: one it was.",
        "Verse 2: two it was.",
        "Verse 2: three it was.",
        "Verse 1: four it was.",
    ]
    # What was undone is where it was.
    assert (await DurableAgent("poet", client).get_run("undone").state()).step == 2


async def test_a_conversation_goes_on_from_a_step_of_it(command: CommandLine) -> None:
    lines = "one\ntwo\n/fork 1\nthree\n/fork\nfour\n/fork 99\nfive\n"
    done = await command("chat", "poet", "--session", "forked", *command.queue, stdin=lines)

    assert done.out.splitlines() == [
        "Verse 1: one it was.",
        "Verse 2: two it was.",
        "Verse 2: three it was.",
        "Verse 3: four it was.",
    ]
    assert "step 99" in done.err


async def test_what_is_no_command_and_who_is_no_agent(command: CommandLine) -> None:
    done = await command("chat", "nobody", *command.queue, stdin=f"/dance\n/fork {'9' * 5000}\n/undo\n/cost\nhello\n")

    assert (done.code, done.out) == (Exit.DONE, "")
    assert "no command '/dance'" in done.err
    assert "no command '/fork'" in done.err
    assert "no agent 'nobody'" in done.err


async def test_a_last_turn_that_was_said_elsewhere_is_undone(command: CommandLine) -> None:
    await command("run", "poet", "one", "--session", "elsewhere", *command.queue)
    await command("run", "poet", "two", "--session", "elsewhere", *command.queue)

    done = await command("chat", "poet", "--session", "elsewhere", *command.queue, stdin="/undo\nthree\n")

    assert done.out == "Verse 2: three it was.\n"
