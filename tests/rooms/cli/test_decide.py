"""`spine-temporal approve`, `reject`, `answer`: a person decides."""

import asyncio
import getpass
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from spine_temporal.cli.exit_codes import Exit
from tests.rooms.cli.command import CommandLine, Done
from tests.support.subagents import run_below

pytestmark = pytest.mark.durable


async def test_an_approved_call_runs(command: CommandLine) -> None:
    await paused(command, "approved")

    done = await command("approve", "approved", "--reason", "it is due", "--by", "anna")

    assert done == Done(Exit.DONE, "approved: call 1.0 of run approved, pay(amount=5, to='acme')\n", "")
    shown = await ended(command, "approved")
    assert shown["answer"] == "Done: paid 5 to acme"
    (made,) = shown["decisions"]
    assert (made["decision"], made["decided_by"], made["reason"]) == ("approved", "anna", "it is due")


async def test_who_decides_is_the_login_name_unless_given(command: CommandLine) -> None:
    await paused(command, "mine")

    await command("approve", "mine")

    assert (await ended(command, "mine"))["decisions"][0]["decided_by"] == getpass.getuser()


async def test_a_rejected_call_does_not_run_and_the_model_hears_why(command: CommandLine) -> None:
    await paused(command, "rejected")

    done = await command("reject", "rejected", "--reason", "too much")

    assert done == Done(Exit.DONE, "rejected: call 1.0 of run rejected, pay(amount=5, to='acme')\n", "")
    assert "too much" in (await ended(command, "rejected"))["answer"]


async def test_calls_are_decided_in_any_order(command: CommandLine) -> None:
    await paused(command, "ordered", "pay twice")

    second = await command("reject", "ordered", "1.1")
    first = await command("approve", "ordered", "call_0")

    assert second.out == "rejected: call 1.1 of run ordered, pay(amount=7, to='emca')\n"
    assert first.out == "approved: call 1.0 of run ordered, pay(amount=5, to='acme')\n"
    decisions = (await ended(command, "ordered"))["decisions"]
    assert [(made["position"], made["decision"]) for made in decisions] == [("1.1", "rejected"), ("1.0", "approved")]


async def test_a_call_of_an_agent_below_is_decided_at_the_top_too(command: CommandLine, client: Client) -> None:
    await paused(command, "top", agent="boss")

    done = await command("approve", "top")

    assert done.out == f"approved: call 1.0 of run {await run_below(client, 'top', '1.0')}, pay(amount=5, to='acme')\n"
    assert (await ended(command, "top"))["answer"] == "It says: Done: paid 5 to acme"


async def test_arguments_can_be_given_in_place_of_the_models(command: CommandLine) -> None:
    await paused(command, "given")

    done = await command("approve", "given", "--arguments", '{"amount": 4, "to": "acme"}')

    assert done.out == "approved with edited arguments: call 1.0 of run given, pay(amount=4, to='acme')\n"
    shown = await ended(command, "given")
    assert (shown["answer"], shown["decisions"][0]["edited"]) == ("Done: paid 4 to acme", True)


async def test_arguments_can_be_edited(command: CommandLine, tmp_path: Path) -> None:
    await paused(command, "edited")

    done = await command(
        "approve", "edited", "--edit", environment=editor(tmp_path, "text.replace('\"amount\": 5', '\"amount\": 3')")
    )

    assert done.out == "approved with edited arguments: call 1.0 of run edited, pay(amount=3, to='acme')\n", done.err
    assert (await ended(command, "edited"))["answer"] == "Done: paid 3 to acme"


async def test_arguments_left_as_they_are_make_a_plain_approval(command: CommandLine, tmp_path: Path) -> None:
    await paused(command, "unedited")

    done = await command("approve", "unedited", "--edit", environment=editor(tmp_path, "text"))

    assert done.out == "approved: call 1.0 of run unedited, pay(amount=5, to='acme')\n", done.err
    assert (await ended(command, "unedited"))["decisions"][0]["edited"] is False


@pytest.mark.parametrize(
    ("session", "leaves", "said"),
    [
        ("no-json", "'{'", "what the editor left is no JSON: "),
        ("no-object", "'[1]'", "what the editor left is no JSON object; "),
        ("broken", "1 / 0", " ended with code 1; nothing was sent"),
    ],
)
async def test_what_an_editor_spoils_is_not_sent(
    command: CommandLine, tmp_path: Path, session: str, leaves: str, said: str
) -> None:
    await paused(command, session)

    done = await command("approve", session, "--edit", environment=editor(tmp_path, leaves))

    assert (done.code, done.out) == (Exit.BAD_USAGE, "")
    assert said in done.err
    assert "nothing was sent" in done.err
    assert len(json.loads((await command("show", session, "--json")).out)["pending"]) == 1


async def test_what_does_not_fit_is_refused_before_anything_happens(command: CommandLine) -> None:
    await paused(command, "unfit")
    refused = {
        ("--arguments", "{"): "--arguments is no JSON",
        ("--arguments", "{}", "--edit"): "--edit and --arguments both say the arguments",
        ("--arguments", '{"amount": "much"}'): "the edited arguments do not fit tool 'pay'",
        ("--digest", "0123"): "has other arguments (digest ",
    }

    for options, said in refused.items():
        done = await command("approve", "unfit", *options)

        assert (done.code, done.out) == (Exit.BAD_USAGE, ""), options
        assert said in done.err, options

    (waiting,) = json.loads((await command("show", "unfit", "--json")).out)["pending"]
    assert (await command("approve", "unfit", "--digest", waiting["digest"])).code == Exit.DONE


async def test_a_call_is_decided_once(command: CommandLine) -> None:
    await paused(command, "once", "pay twice")
    await command("approve", "once", "1.1", "--by", "anna")

    again, unknown = await asyncio.gather(command("reject", "once", "1.1"), command("approve", "once", "9.9"))

    assert (again.code, unknown.code) == (Exit.BAD_USAGE, Exit.BAD_USAGE)
    assert "call 'call_1' of 'pay' was approved by anna" in again.err
    assert "no call '9.9' waits for a decision; waiting: 'call_0' (1.0, pay)" in unknown.err


async def test_a_decision_where_nothing_waits_is_refused(command: CommandLine) -> None:
    await command("run", "cashier", "hello", "--session", "nothing", *command.queue)

    nothing, absent = await asyncio.gather(command("approve", "nothing"), command("approve", "absent"))

    assert (nothing.code, absent.code) == (Exit.BAD_USAGE, Exit.NO_SUCH_RUN)
    assert nothing.err.startswith("error: session 'nothing': nothing waits for a decision")


@pytest.mark.parametrize(
    ("value", "answered"), [(("acme's",), "acme's"), (('{"iban": 1}', "--json-value"), '{"iban": 1}')]
)
async def test_an_answer_is_the_tools_result(command: CommandLine, value: tuple[str, ...], answered: str) -> None:
    session = f"answered-{len(value)}"
    await paused(command, session, "ask")

    done = await command("answer", session, *value)

    assert done.out.startswith(f"answered: call 1.0 of run {session}, ask(question='Which account?')"), done.err
    assert (await ended(command, session))["answer"] == f"Done: {answered}"


async def test_a_question_is_not_approved_and_a_gated_call_not_answered(command: CommandLine) -> None:
    await paused(command, "asks", "ask")
    await paused(command, "gated")

    approved, answered, no_json = await asyncio.gather(
        command("approve", "asks"), command("answer", "gated", "no"), command("answer", "asks", "{", "--json-value")
    )

    assert {approved.code, answered.code, no_json.code} == {Exit.BAD_USAGE}
    assert "it is answered with `spine-temporal answer asks VALUE 1.0`" in approved.err
    assert "it is decided with `spine-temporal approve gated 1.0` or `spine-temporal reject gated 1.0`" in answered.err
    assert "the value is no JSON" in no_json.err


async def paused(command: CommandLine, session: str, says: str = "pay", *, agent: str = "cashier") -> None:
    done = await command("run", agent, says, "--session", session, *command.queue)
    assert done.code == Exit.PAUSED, done.err


async def ended(command: CommandLine, session: str) -> dict[str, Any]:
    """What `show` tells of the run once its turn is over."""
    async with asyncio.timeout(180):
        while (shown := json.loads((await command("show", session, "--json")).out))["status"] != "idle":
            pass
    assert isinstance(shown, dict)
    return shown


def editor(folder: Path, leaves: str) -> dict[str, str]:
    """An environment with an editor that makes of `text`, what it is given, what the expression says."""
    script = folder / "editor.py"
    script.write_text(
        f"import pathlib, sys\nfile = pathlib.Path(sys.argv[1])\ntext = file.read_text()\nfile.write_text({leaves})\n"
    )
    return {"EDITOR": f"'{sys.executable}' '{script}'", "VISUAL": ""}


async def test_an_error_names_the_run_as_it_was_typed(command: CommandLine) -> None:
    await command("run", "cashier", "hello", "--session", "typed", *command.queue)

    by_session, by_workflow = await asyncio.gather(command("approve", "typed"), command("approve", "spine-typed"))

    assert by_session.err == "error: session 'typed': nothing waits for a decision\n"
    assert by_workflow.err == "error: session 'spine-typed': nothing waits for a decision\n"
