"""What `spine-temporal show` tells of people, other agents, other runs."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from spine_core import Agent, Guards, tool
from spine_core.testing import ScriptedProvider, calls, text
from spine_orchestration import Sequential
from temporalio.client import Client
from temporalio.worker import Worker

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.contracts.policies import ContinuePolicy
from tests.rooms.cli.command import CommandLine
from tests.support.agents_at_hand import Gate, add
from tests.support.incompatible import Incompatible
from tests.support.subagents import run_below
from tests.support.waiting import until

pytestmark = pytest.mark.durable


async def test_what_waits_for_a_person_is_shown_with_the_line_that_decides_it(command: CommandLine) -> None:
    await command("run", "cashier", "pay", "--session", "waits", "--approval-timeout", "7500", *command.queue)

    shown, told = await asyncio.gather(command("show", "waits"), command("show", "waits", "--json"))

    lines = [line.strip() for line in shown.out.splitlines()]
    assert "status   paused" in lines
    assert "now      the run waits for a decision" in lines
    (waits,) = [line for line in lines if line.startswith("waits ")]
    assert waits.startswith("waits    pay(amount=5, to='acme') · call 1.0 · asked ")
    assert waits.endswith(" ago · expires in 2 h")
    assert "`spine-temporal approve waits` or `spine-temporal reject waits`" in lines
    run = json.loads(told.out)
    assert (run["status"], run["reason"], run["in_flight"][0]["state"]) == ("paused", "interrupt", "waiting")
    assert [(each["tool"], each["position"]) for each in run["pending"]] == [("pay", "1.0")]


async def test_decisions_are_shown_with_who_made_them_why(command: CommandLine) -> None:
    await command("run", "cashier", "pay twice", "--session", "made", *command.queue)
    await command("approve", "made", "1.1", "--arguments", '{"amount": 1, "to": "acme"}', "--by", "anna")
    await command("reject", "made", "1.0", "--reason", "paid before", "--by", "otto")

    lines = [line.strip() for line in (await command("show", "made")).out.splitlines()]

    (first,) = [line for line in lines if line.startswith("decided")]
    assert first.startswith("decided  pay, call 1.1, approved by anna with edited arguments ")
    second = lines[lines.index(first) + 1]
    assert second.startswith("pay, call 1.0, rejected by otto ")
    assert second.endswith(" ago: paid before")


async def test_turns_that_wait_are_shown(command: CommandLine) -> None:
    await command("run", "cashier", "pay", "--session", "queueing", *command.queue)
    for said in ("second", "third"):
        await command("start", "cashier", said, "--session", "queueing", *command.queue)

    shown, told = await asyncio.gather(command("show", "queueing"), command("show", "queueing", "--json"))

    assert "  turn     1, 2 more in the queue\n           turn 2: second\n           turn 3: third\n" in shown.out
    assert json.loads(told.out)["queued"] == [{"turn": 2, "input": "second"}, {"turn": 3, "input": "third"}]


async def test_agents_that_work_for_it_are_shown_until_they_are_done(command: CommandLine, client: Client) -> None:
    await command("run", "boss", "pay", "--session", "chief", *command.queue)

    hand = await run_below(client, "chief", "1.0")
    above, below = await asyncio.gather(command("show", "chief"), command("show", hand))
    await command("resume", "chief")
    after = json.loads((await command("show", "chief", "--json")).out)

    lines = [line.strip() for line in above.out.splitlines()]
    assert f"agents   boss/cashier on call 1.0, paused, run {hand}" in lines
    assert "now      agent boss/cashier works on call 1.0: it waits for a decision" in lines
    assert any(line.startswith(f"waits    pay(amount=5, to='acme') · call 1.0 of {hand} · asked ") for line in lines)
    assert "  works for  chief, call 1.0\n" in below.out
    (child,) = after["children"]
    assert (child["run"], child["agent"], child["status"]) == (hand, "boss/cashier", "final")
    assert (after["pending"], after["in_flight"][0]["what"]) == ([], "the session waits for its next turn")


async def test_an_agent_at_work_for_it_is_what_it_does_now(alone: CommandLine, client: Client) -> None:
    gate = Gate()

    @tool
    async def work() -> str:
        await gate.pass_through()
        return "worked"

    below = Agent(ScriptedProvider(calls(("work", {})), text("done")), tools=[work], name="hand")
    above = Agent(ScriptedProvider(calls(("hand", {"input": "work"})), text("all done")), tools=[below.as_tool()])
    async with served(client, alone, above) as durable:
        run = await durable.start("work", session_id="manages")
        await gate.begun.wait()
        shown, told = await asyncio.gather(alone("show", "manages"), alone("show", "manages", "--json"))
        gate.open.set()
        assert (await run.result()).answer == "all done"

    assert "now      agent agent/hand works on call 1.0\n" in shown.out
    assert json.loads(told.out)["children"][0]["status"] == "running"


async def test_an_execution_that_continues_another_says_so(alone: CommandLine, client: Client) -> None:
    provider = ScriptedProvider(*(calls(("add", {"a": 1, "b": step})) for step in range(3)), text("enough"))
    agent = Agent(provider, tools=[add], guards=Guards(max_steps=None))
    async with served(client, alone, agent, continue_policy=ContinuePolicy(events=20)) as durable:
        assert (await durable.run("count", session_id="long")).answer == "enough"
        shown, told = await asyncio.gather(alone("show", "long"), alone("show", "long", "--json"))
        listed = json.loads((await alone("list", "--limit", "1000", "--json")).out)

    run = json.loads(told.out)
    assert f"continues  execution {run['continues']}\n" in shown.out
    assert run["run_id"] != run["continues"]
    assert len(run["state"]["messages"]) == 8
    assert [(each["run_id"], each["input"]) for each in listed if each["session_id"] == "long"] == [
        (run["run_id"], "count")
    ]


async def test_a_team_is_shown_with_the_path_it_took(alone: CommandLine, client: Client) -> None:
    team = Sequential(Agent(ScriptedProvider(text("a draft"))), Agent(ScriptedProvider(text("a text"))))
    async with served(client, alone, team) as durable:
        assert (await durable.run("write", session_id="team")).answer == "a text"
        shown, told, chat = await asyncio.gather(
            alone("show", "team"),
            alone("show", "team", "--json"),
            alone("chat", "agent", "--session", "team", *alone.queue, stdin="/cost\n"),
        )

    # A team takes no step of its own; its members have spent.
    assert "usage    0 steps · 30 tokens · cost unknown\n" in shown.out
    assert chat.out == "0 steps · 30 tokens · cost unknown\n"
    assert "team     sequential: agent/1 → agent/2\n" in shown.out
    first = await run_below(client, "team", "1.0")
    assert f"agents   agent/1 member 1, final, run {first}\n" in shown.out
    assert [each["status"] for each in json.loads(told.out)["children"]] == ["final", "final"]


async def test_a_run_that_its_worker_cannot_work_on_is_stuck_since_when_and_why(
    alone: CommandLine, client: Client
) -> None:
    await alone("start", "clerk", "hi", "--session", "stuck", *alone.queue)

    async def shown_as_stuck() -> str:
        out = (await alone("show", "stuck")).out
        return out if "stuck  " in out else ""

    async with Worker(client, task_queue=alone.queue[1], workflows=[Incompatible]):
        shown = await until(shown_as_stuck, "a run that is shown as stuck")

    lines = [line.strip() for line in shown.splitlines()]
    assert "status   running, stuck" in lines
    (since,) = [line for line in lines if line.startswith("stuck  ")]
    assert since.startswith("stuck    its worker cannot work on it since 20")
    assert "workflow worker unhandled failure: a version that cannot read this" in lines


async def test_a_narrow_terminal_without_colours_gets_neither_long_lines_nor_escapes(command: CommandLine) -> None:
    await command("run", "cashier", "pay twice", "--session", "narrow-show", *command.queue)

    shown = await command.on_terminal("show", "narrow-show", environment={"COLUMNS": "60", "NO_COLOR": "1"})

    assert "\x1b" not in shown
    # What is there to be copied is broken by the terminal alone.
    assert [line for line in shown.splitlines() if len(line) > 60 and "`" not in line and "://" not in line] == []


@asynccontextmanager
async def served(client: Client, command: CommandLine, agent: Any, **options: Any) -> AsyncIterator[DurableAgent]:
    """The agent, on a worker in this process."""
    queue = command.queue[1]
    async with AgentWorker(client, agents={"agent": agent}, task_queue=queue, **options):
        yield DurableAgent("agent", client, task_queue=queue)
