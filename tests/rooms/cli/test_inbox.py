"""`spine-temporal approvals`: what waits for a person, in all runs."""

import json
import uuid
from datetime import datetime

import pytest
from temporalio.client import Client

from spine_temporal.cli.exit_codes import Exit
from spine_temporal.contracts import names
from spine_temporal.testing import dev_server
from tests.rooms.cli.command import CommandLine, Done, listed
from tests.support.subagents import run_below

pytestmark = pytest.mark.durable

_ATTRIBUTES = {names.STATUS_ATTRIBUTE: "Keyword", names.AGENT_ATTRIBUTE: "Keyword"}


async def test_each_call_is_listed_once_by_the_run_that_asks(command: CommandLine, client: Client) -> None:
    await command("run", "boss", "pay", "--session", "deep", *command.queue)
    await command("run", "cashier", "ask", "--session", "unsure", "--approval-timeout", "3600", *command.queue)
    below = await run_below(client, "deep", "1.0")
    await listed(client, below, "paused")
    await listed(client, "unsure", "paused")

    told = await command("approvals", "--json")

    (deep,) = [each for each in json.loads(told.out) if each["run"].startswith("deep")]
    (unsure,) = [each for each in json.loads(told.out) if each["run"] == "unsure"]
    assert (deep["run"], deep["agent"], deep["tool"]) == (below, "boss/cashier", "pay")
    assert (deep["arguments"], deep["call_id"], deep["position"]) == ({"amount": 5, "to": "acme"}, "call_0", "1.0")
    assert deep["digest"]
    assert (unsure["mode"], unsure["payload"]) == ("manual", "Which account?")
    asked, expires = (datetime.fromisoformat(unsure[each]) for each in ("asked_at", "expires_at"))
    assert (expires - asked).total_seconds() == pytest.approx(3600)


async def test_the_table_says_what_since_when_and_until_when(command: CommandLine, client: Client) -> None:
    await command("run", "cashier", "pay", "--session", "tabled", "--approval-timeout", "7500", *command.queue)
    await listed(client, "tabled", "paused")

    table = (await command("approvals")).out.splitlines()

    assert table[0].split() == ["run", "agent", "call", "asked", "expires", "what"]
    (row,) = [line for line in table if line.startswith("tabled ")]
    assert row.split()[:3] == ["tabled", "cashier", "1.0"]
    assert " s ago " in row
    assert row.endswith("  in 2 h  pay(amount=5, to='acme')")


async def test_a_terminal_gets_the_lines_that_make_it_quick(command: CommandLine) -> None:
    shown = await command.on_terminal("approvals", "--agent", "clerk")

    assert "nothing waits for a decision of agent 'clerk'" in shown
    assert shown.count("looked through all running runs") == 1
    assert "lacks SpineStatus and SpineAgent" in shown
    assert "`spine-temporal init` makes it quick" in " ".join(shown.split())


async def test_nothing_waiting_is_one_line(command: CommandLine) -> None:
    assert await command("approvals", "--agent", "clerk") == Done(
        Exit.DONE, "nothing waits for a decision of agent 'clerk'\n", ""
    )
    assert await command("approvals", "--agent", "clerk", "--json") == Done(Exit.DONE, "[]\n", "")


async def test_search_attributes_find_them_also_in_runs_that_began_without() -> None:
    async with (
        dev_server(search_attributes=_ATTRIBUTES, spine_attributes=False) as server,
        CommandLine(server.address, f"cli-{uuid.uuid4().hex}") as command,
    ):
        worker = await command.start("worker", *command.queue)
        await worker.says("worker ready")
        await command("run", "cashier", "pay", "--session", "indexed", *command.queue)
        await command("run", "boss", "pay", "--session", "other", *command.queue)
        await command("run", "cashier", "hello", "--session", "spoken", *command.queue)
        below = await run_below(server.client, "other", "1.0")
        for session, status in (("indexed", "paused"), (below, "paused"), ("spoken", "idle")):
            await listed(server.client, session, status)

        indexed = [run.id async for run in server.client.list_workflows("SpineStatus = 'paused'")]
        of_all, of_agent = await command("approvals", "--json"), await command("approvals", "--agent", "cashier")
        shown = await command.on_terminal("approvals")
        idle = await command("list", "--status", "idle", "--agent", "cashier", "--json")

    assert sorted(indexed) == ["spine-indexed", "spine-other", f"spine-{below}"]
    assert sorted(each["run"] for each in json.loads(of_all.out)) == ["indexed", below]
    assert [line.split()[0] for line in of_agent.out.splitlines()] == ["run", "indexed"]
    assert "looked through" not in shown
    assert [run["session_id"] for run in json.loads(idle.out)] == ["spoken"]


async def test_no_more_are_listed_than_asked_for(command: CommandLine, client: Client) -> None:
    await command("run", "cashier", "pay twice", "--session", "many", *command.queue)
    await listed(client, "many", "paused")

    assert len(json.loads((await command("approvals", "--limit", "1", "--json")).out)) == 1
