"""What one workflow task takes of local calls, and what becomes of them when its worker stops."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from spine_core import Agent, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio import activity
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent, Run, durable
from spine_temporal.activities import local_attempt
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.encryption import KeyRing, encrypted, new_key
from tests.support.agents_at_hand import Gate
from tests.support.harness import ONLY_NORMAL, Durable, activities_in, history_of, replay

pytestmark = pytest.mark.durable


@durable(local=True)
@tool
async def add(a: int, b: int) -> int:
    """Add."""
    return a + b


def agent_of(asked: Any, *tools: Any, **options: Any) -> Agent:
    return Agent(ScriptedProvider(asked, text("done")), tools=list(tools), **options)


async def tool_calls_of(client: Client, run: Run) -> int:
    history = await history_of(client, run)
    await replay(history)
    return activities_in(history).count("spine.tool")


@ONLY_NORMAL
async def test_fifty_side_by_side_are_all_local(client: Client, durable: Durable) -> None:
    asked = calls(*[("add", {"a": n, "b": 1}) for n in range(50)])
    served = durable(agent_of(asked, add, parallel_tools=True))

    result = await served.run("go")

    assert [m.content for m in result.state.messages if m.role == "tool"] == [str(n + 1) for n in range(50)]
    assert await tool_calls_of(client, served.runs[0]) == 0


class Clock:
    """By which each call takes 0.8 s."""

    def __init__(self) -> None:
        self._looks = Counter[str]()

    def monotonic(self) -> float:
        call = activity.info().activity_id
        self._looks[call] += 1
        return 0.8 * self._looks[call]


@ONLY_NORMAL
@pytest.mark.parametrize(
    ("count", "parallel", "ordinary"),
    # 0.8, 1.6, 2.4; an ordinary one; and again. Side by side, they take as long as the longest.
    [(8, False, 2), (7, True, 0)],
)
async def test_after_long_calls_an_ordinary_one_ends_the_task(
    client: Client, durable: Durable, monkeypatch: pytest.MonkeyPatch, count: int, ordinary: int, *, parallel: bool
) -> None:
    monkeypatch.setattr(local_attempt, "time", Clock())
    asked = calls(*[("add", {"a": n, "b": 1}) for n in range(count)])
    served = durable(agent_of(asked, add, parallel_tools=parallel))

    assert (await served.run("go")).ok

    assert await tool_calls_of(client, served.runs[0]) == ordinary


@pytest.mark.parametrize("parallel", [False, True])
async def test_a_worker_that_stops_hands_them_over(client: Client, *, parallel: bool) -> None:
    gate, begun = Gate(), list[bool]()

    async def wait(a: int) -> int:
        """Wait when it is local."""
        begun.append(activity.info().is_local)
        if begun[-1]:
            await gate.pass_through()
        return a

    asked, queue = calls(*[("wait", {"a": n}) for n in range(3)]), f"local-stopping-{parallel}"
    agent = agent_of(asked, durable(local=True)(tool(wait)), name="a", parallel_tools=parallel)
    async with AgentWorker(client, agents=[agent], task_queue=queue):
        run = await DurableAgent("a", client, task_queue=queue).start("go")
        await asyncio.wait_for(gate.begun.wait(), 60)
    # It has stopped although nobody let the calls go on.
    assert not gate.open.is_set()
    in_hand = len(begun)
    gate.open.set()
    async with AgentWorker(client, agents=[agent], task_queue=queue):
        result = await run.result()

    assert [m.content for m in result.state.messages if m.role == "tool"] == ["0", "1", "2"]
    # Of those side by side, some may not have begun.
    assert begun[:in_hand] == [True] * in_hand
    assert begun[in_hand:].count(False) >= in_hand
    await replay(await history_of(client, run))


async def test_a_worker_that_stops_lets_them_end_in_its_time(client: Client) -> None:
    begun, seen = asyncio.Event(), list[bool]()

    async def wait(a: int) -> int:
        """Wait until the worker stops."""
        seen.append(activity.info().is_local)
        begun.set()
        await activity.wait_for_worker_shutdown()
        return a

    agent = agent_of(calls(("wait", {"a": 7})), durable(local=True)(tool(wait)), name="a")
    async with AgentWorker(client, agents=[agent], task_queue="local-grace", graceful_shutdown_s=60):
        run = await DurableAgent("a", client, task_queue="local-grace").start("go")
        await asyncio.wait_for(begun.wait(), 60)
    async with AgentWorker(client, agents=[agent], task_queue="local-grace"):
        result = await run.result()

    assert result.state.messages[-2].content == "7"
    assert seen == [True]


@pytest.mark.parametrize("side_by_side", [1, 5])
async def test_an_error_of_megabytes_ends_no_run(durable: Durable, side_by_side: int) -> None:
    begun: list[bool] = []

    async def fetch(a: int) -> int:
        """Fail when it is local."""
        begun.append(activity.info().is_local)
        if begun[-1]:
            raise ConnectionError("x" * (5_000_000 // side_by_side))
        return a

    fetching = _local(fetch, retry_on=[ConnectionError])
    asked = calls(*[("fetch", {"a": n}) for n in range(side_by_side)])
    result = await durable(agent_of(asked, fetching, parallel_tools=True)).run("go")

    assert result.ok, result.error
    assert sorted(begun) == [False] * side_by_side + [True] * side_by_side


async def test_where_payloads_are_encrypted_no_log_has_the_text(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    sealed = await Client.connect(
        client.service_client.config.target_host,
        data_converter=encrypted(KeyRing.parse(new_key("k"), "here"), client.namespace),
    )

    async def fetch(a: int) -> int:
        """Fail when it is local."""
        if activity.info().is_local:
            raise ConnectionError("no way to Mrs Otter")
        return a

    agent = agent_of(calls(("fetch", {"a": 1})), _local(fetch, retry_on=[ConnectionError]), name="a")
    async with AgentWorker(sealed, agents=[agent], task_queue="local-sealed"):
        assert (await DurableAgent("a", sealed, task_queue="local-sealed").run("go")).ok

    assert "could not be carried out as a local activity (spine.NotLocally: ConnectionError" in caplog.text
    assert "Otter" not in caplog.text


async def test_what_no_attempt_could_change_is_not_tried_again(durable: Durable) -> None:
    begun: list[bool] = []

    class Wordless:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    async def answer(a: int) -> Any:
        """Give what has no text."""
        begun.append(activity.info().is_local)
        return Wordless()

    result = await durable(agent_of(calls(("answer", {"a": 1})), _local(answer))).run("go")

    assert begun == [True]
    assert "RuntimeError: no text" in str(result.state.messages[-2].content)


async def test_the_workers_own_limit_holds_for_local_calls(client: Client) -> None:
    begun: list[bool] = []

    async def wait(a: int) -> int:
        """Wait when it is local."""
        begun.append(activity.info().is_local)
        if begun[-1]:
            await asyncio.Event().wait()
        return a

    agent = agent_of(calls(("wait", {"a": 1})), _local(wait), name="a")
    policy = ActivityPolicy(timeout_s=0.2)
    async with AgentWorker(client, agents=[agent], task_queue="local-limit", tool_policy=policy):
        run = await DurableAgent("a", client, task_queue="local-limit").start("go")
        assert (await run.result()).ok

    # On a busy machine, an ordinary attempt may take longer than that, too.
    assert begun[0]
    assert not any(begun[1:])
    limits = [
        event.activity_task_scheduled_event_attributes.start_to_close_timeout.ToTimedelta().total_seconds()
        for event in (await history_of(client, run)).events
        if event.activity_task_scheduled_event_attributes.activity_type.name == "spine.tool"
    ]
    assert limits == [0.2]


@pytest.mark.parametrize("local", [False, True])
async def test_a_tool_that_cancels_its_own_task_is_done_once(durable: Durable, *, local: bool) -> None:
    begun = 0

    async def odd(a: int) -> int:
        """Cancel, and return all the same."""
        nonlocal begun
        begun += 1
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        return a

    made = _local(odd) if local else tool(odd)
    result = await durable(agent_of(calls(("odd", {"a": 7})), made)).run("go")

    assert result.ok
    assert result.state.messages[-2].content == "7"
    assert begun == 1


def _local(func: Any, **options: Any) -> Any:
    return durable(local=True, **options)(tool(func))
