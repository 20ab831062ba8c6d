"""`spine-temporal stats`, and `list` by tenant, cost and age."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from spine_core import Agent
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.cli.exit_codes import Exit
from spine_temporal.client import stats as stats_module
from spine_temporal.client.run_filter import RunFilter
from spine_temporal.client.stats import read_stats
from spine_temporal.contracts import names
from spine_temporal.testing import dev_server
from tests.features.search_attributes.serving import Down, boss, listed, payer, priced, unpriced
from tests.rooms.cli.command import CommandLine
from tests.support.proxy.grpc_proxy import GrpcProxy

pytestmark = pytest.mark.durable


@dataclass(frozen=True)
class Shop:
    """A server with some runs of known cost."""

    client: Client
    command: CommandLine


@pytest_asyncio.fixture(scope="module")
async def shop() -> AsyncIterator[Shop]:
    agents = [
        priced(),
        priced("globex's", "globex", 2.0),
        unpriced(),
        payer(),
        boss(priced(), unpriced()),
        Agent(Down(), name="down", tenant_id="acme"),
    ]
    queue = f"stats-{uuid.uuid4().hex}"
    async with (
        dev_server() as server,
        CommandLine(server.address, queue) as command,
        AgentWorker(server.client, agents=agents, task_queue=queue),
    ):
        for agent in ("priced", "priced", "globex's", "unpriced", "boss", "down"):
            await DurableAgent(agent, server.client, task_queue=queue).run("go")
        for agent, session in (("payer", "waits"), ("priced", "open"), ("down", "open-and-failed")):
            await DurableAgent(agent, server.client, task_queue=queue).run("go", session_id=session)
        await server.client.start_workflow(
            names.AGENT_WORKFLOW, {"agent": "priced", "input": "hi"}, id="by-hand", task_queue="nobody-polls"
        )
        await listed(server.client, "SpineStatus IN ('completed', 'failed') AND ExecutionStatus != 'Running'", 8)
        await listed(server.client, "SpineStatus IN ('paused', 'idle')", 3)
        await listed(server.client, "WorkflowType = 'spine.agent'", 12)
        yield Shop(server.client, command)


async def stats_of(shop: Shop, *arguments: str) -> dict[str, Any]:
    done = await shop.command("stats", "--json", *arguments)
    assert done.code == Exit.DONE, done.err
    told: dict[str, Any] = json.loads(done.out)
    return told


def sums(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("runs", "steps", "tokens", "cost_usd", "unpriced_runs"))


async def test_sums_by_agent(shop: Shop) -> None:
    told = await stats_of(shop, "--by", "agent")

    # boss: 15 tokens and 1 USD for each of its two answers, 15 tokens of each of those below it.
    assert {row["agent"]: sums(row) for row in told["rows"]} == {
        "globex's": (1, 1, 15, 2.0, 0),
        "priced": (3, 3, 45, 0.75, 0),
        "payer": (1, 1, 15, 0.5, 0),
        "boss": (1, 2, 60, None, 1),
        "boss/priced": (1, 1, 15, 0.25, 0),
        "boss/unpriced": (1, 1, 15, None, 1),
        "unpriced": (1, 1, 15, None, 1),
        "down": (2, 2, 0, 0.0, 0),
    }


async def test_what_ran_below_another_run_is_in_the_total_once(shop: Shop) -> None:
    told = await stats_of(shop)

    assert sums(told["total"]) == (11, 12, 15 + 45 + 15 + 60 + 15, 3.25, 2)
    assert told["unindexed_runs"] == 1


async def test_sums_by_tenant_and_status(shop: Shop) -> None:
    told = await stats_of(shop, "--by", "tenant", "--by", "status")

    assert {(row["tenant"], row["status"]): row["runs"] for row in told["rows"]} == {
        ("acme", "completed"): 3,
        ("acme", "idle"): 1,
        ("acme", "failed"): 2,
        ("globex", "completed"): 1,
        (None, "completed"): 3,
        (None, "paused"): 1,
    }


async def test_sums_of_some_runs_only(shop: Shop) -> None:
    of_tenant, dear, failed, none = [
        (await stats_of(shop, *arguments))["total"]["runs"]
        for arguments in (
            ("--tenant", "globex"),
            ("--min-cost", "0.5"),
            ("--status", "failed"),
            ("--tenant", "nobody's"),
        )
    ]

    assert (of_tenant, dear, failed, none) == (1, 2, 2, 0)


async def test_the_table_says_unknown_where_a_cost_is_unknown(shop: Shop) -> None:
    shown = await shop.command("stats", "--by", "agent")

    lines = shown.out.splitlines()
    assert lines[0].split() == ["agent", "runs", "steps", "tokens", "cost", "unknown", "cost"]
    assert lines[1].split() == ["globex's", "1", "1", "15", "$2.0000"]
    assert next(line.split() for line in lines if line.startswith("unpriced")) == [
        *["unpriced", "1", "1", "15", "of", "1", "run"]
    ]
    assert lines[-1].split()[0] == "total"
    assert "1 run set no search attributes, and could not be counted" in " ".join(shown.err.split())


async def test_sums_are_read_by_pages(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = await read_stats(shop.client, RunFilter())
    monkeypatch.setattr(stats_module, "_PAGE", 2)

    assert await read_stats(shop.client, RunFilter()) == at_once


async def test_sums_are_made_without_reading_a_history(shop: Shop) -> None:
    async with GrpcProxy(shop.command.address) as proxy, CommandLine(proxy.address, "q") as command:
        assert (await command("stats")).code == Exit.DONE

    assert proxy.calls["ListWorkflowExecutions"] == 1
    assert not [method for method in proxy.calls if "History" in method]


async def test_list_reads_the_histories_of_those_runs_only_that_it_shows(shop: Shop) -> None:
    async with GrpcProxy(shop.command.address) as proxy, CommandLine(proxy.address, "q") as command:
        rows = (await command("list", "--tenant", "globex", "--max-cost", "5")).out.splitlines()

    # One run fits, and there is the one that no worker has begun on, of which nothing is known without.
    assert len(rows) == 2
    assert proxy.calls["GetWorkflowExecutionHistory"] == 2


async def test_list_finds_by_tenant_cost_and_age(shop: Shop) -> None:
    async def ids(*arguments: str) -> list[tuple[str, float | None]]:
        done = await shop.command("list", "--json", *arguments)
        assert done.code == Exit.DONE, done.err
        return sorted((row["agent"], row["cost_usd"]) for row in json.loads(done.out))

    of_tenant, dear, cheap, between, old, new, failed = await asyncio.gather(
        ids("--tenant", "globex"),
        ids("--min-cost", "0.5"),
        ids("--max-cost", "0.3", "--agent", "priced"),
        ids("--min-cost", "0.4", "--max-cost", "0.6"),
        ids("--older-than", "1d"),
        ids("--since", "1h", "--tenant", "globex"),
        ids("--status", "failed"),
    )

    assert of_tenant == new == [("globex's", 2.0)]
    assert dear == [("globex's", 2.0), ("payer", 0.5)]
    # Nobody has begun on the one that was started by hand.
    assert cheap == [("priced", 0.0), ("priced", 0.25), ("priced", 0.25), ("priced", 0.25)]
    assert between == [("payer", 0.5)]
    assert old == []
    assert failed == [("down", 0.0), ("down", 0.0)]


async def test_list_shows_what_each_cost(shop: Shop) -> None:
    rows = (await shop.command("list")).out.splitlines()

    assert rows[0].split()[:7] == ["run", "agent", "status", "started", "took", "events", "cost"]
    (unknown,) = [row for row in rows if " unpriced " in row]
    assert " unknown  go" in unknown
    assert not any("$0.00" in row for row in rows)


@pytest.mark.parametrize(
    "arguments",
    [("--since", "yesterday"), ("--older-than", "-1h"), ("--min-cost", "nan"), ("--min-cost", "-1"), ("--since", "")],
    ids=" ".join,
)
async def test_what_is_no_age_or_cost_is_refused(alone: CommandLine, arguments: tuple[str, str]) -> None:
    for name in ("list", "stats"):
        done = await alone(name, *arguments)

        assert done.code == Exit.BAD_USAGE, done
        assert done.err.startswith("error: ")


async def test_a_server_without_attributes_finds_them_in_the_histories() -> None:
    async with (
        dev_server(spine_attributes=False) as server,
        CommandLine(server.address, "q") as command,
        AgentWorker(server.client, agents=[priced(), unpriced()], task_queue="q"),
    ):
        for agent in ("priced", "unpriced"):
            await DurableAgent(agent, server.client, task_queue="q").run("go")
        await listed(server.client, "ExecutionStatus = 'Completed'", 2)
        found = [
            [row["agent"] for row in json.loads((await command("list", "--json", *arguments)).out)]
            for arguments in (("--tenant", "acme"), ("--min-cost", "0.1"), ("--max-cost", "0.1"))
        ]
        summed = await command("stats")

    assert found == [["priced"], ["priced"], []]
    assert (summed.code, summed.out) == (Exit.DONE, "")
    assert "`spine-temporal init` creates them" in " ".join(summed.err.split())
