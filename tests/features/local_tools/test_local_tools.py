"""A local tool runs within the workflow task, and is in everything else a tool like any other."""

import asyncio
import threading
from typing import Any

import pytest
from spine_core import Agent, Interrupt, StopReason, Tool, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio import activity
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent, durable, idempotency_key
from spine_temporal.contracts.limits import MAX_LOCAL_RESULT_BYTES
from spine_temporal.contracts.policies import ActivityPolicy, ContinuePolicy
from spine_temporal.errors import AgentBroken, BadInput
from tests.support.agents_at_hand import Gate
from tests.support.harness import Durable, activities_in, assert_same, history_of, replay

pytestmark = pytest.mark.durable


@durable(local=True)
@tool
async def add(a: int, b: int) -> int:
    """Add."""
    return a + b


@durable(local=True)
@tool
def look(size: int) -> str:
    """Look; a sync tool."""
    return "." * size


def adding(*more: Any, tools: list[Any] | None = None, **options: Any) -> Agent:
    script = ScriptedProvider(calls(("add", {"a": 1, "b": 2})), *more, text("done"))
    return Agent(script, tools=tools or [plain_add], **options)


@tool(name="add")
async def plain_add(a: int, b: int) -> int:
    """Add."""
    return a + b


async def test_a_local_call_is_one_event_and_all_else_is_as_on_the_kernel(client: Client, durable: Durable) -> None:
    theirs = await adding().run("go")
    served = durable(adding(tools=[add]))

    ours = await served.run("go")

    assert_same(ours, theirs)
    history = await history_of(client, served.runs[0])
    assert activities_in(history) == ["spine.step", "spine.step"]
    await replay(history)


async def test_calls_side_by_side_and_one_after_another(durable: Durable) -> None:
    asked = calls(*[("add", {"a": n, "b": 1}) for n in range(12)])
    for parallel in (False, True):
        theirs = await adding(asked, parallel_tools=parallel).run("go")
        ours = await durable(adding(asked, tools=[add], parallel_tools=parallel)).run("go")
        assert ours.state.model_dump(exclude={"session_id"}) == theirs.state.model_dump(exclude={"session_id"})


async def test_local_and_ordinary_calls_of_one_step(client: Client, durable: Durable) -> None:
    @tool
    async def far(a: int) -> int:
        """Not local."""
        return a * 10

    asked = calls(("far", {"a": 1}), ("add", {"a": 1, "b": 1}), ("far", {"a": 2}), ("add", {"a": 2, "b": 2}))
    for parallel in (False, True):
        theirs = await adding(asked, tools=[plain_add, far], parallel_tools=parallel).run("go")
        served = durable(adding(asked, tools=[add, far], parallel_tools=parallel))
        ours = await served.run("go")
        assert ours.state.model_dump(exclude={"session_id"}) == theirs.state.model_dump(exclude={"session_id"})
        history = await history_of(client, served.runs[0])
        assert activities_in(history).count("spine.tool") == 2
        await replay(history)


async def test_one_that_takes_longer_than_announced_goes_on_as_an_ordinary_one(
    client: Client, durable: Durable, caplog: pytest.LogCaptureFixture
) -> None:
    begun: list[bool] = []

    async def wait(a: int) -> int:
        """Wait when it is local."""
        begun.append(activity.info().is_local)
        if begun[-1]:
            await asyncio.Event().wait()
        return a

    served = durable(adding(calls(("wait", {"a": 1})), tools=[add, locally(wait, timeout_s=0.2)]))

    result = await served.run("go")

    assert result.ok
    assert begun == [True, False]
    assert "tool 'wait' could not be carried out as a local activity" in caplog.text
    history = await history_of(client, served.runs[0])
    assert activities_in(history).count("spine.tool") == 1
    await replay(history)


async def test_a_thread_that_takes_too_long_holds_up_nothing(durable: Durable) -> None:
    let_go, begun = threading.Event(), list[bool]()

    def wait(a: int) -> int:
        """Wait when it is local, in a thread that nothing can interrupt."""
        begun.append(activity.info().is_local)
        if begun[-1]:
            let_go.wait(60)
        return a

    served = durable(adding(calls(("wait", {"a": 1})), tools=[add, locally(wait, timeout_s=0.2)]))
    try:
        assert (await asyncio.wait_for(served.run("go"), 30)).ok
    finally:
        let_go.set()
    assert begun == [True, False]


async def test_a_large_result_goes_on_as_an_ordinary_call(client: Client, durable: Durable) -> None:
    large = MAX_LOCAL_RESULT_BYTES
    served = durable(adding(calls(("look", {"size": large})), tools=[add, look]))

    result = await served.run("go")

    assert [len(str(m.content)) for m in result.state.messages if m.role == "tool"] == [1, large]
    assert activities_in(await history_of(client, served.runs[0])).count("spine.tool") == 1


async def test_results_that_are_large_together_are_told_in_several_tasks(client: Client, durable: Durable) -> None:
    size = MAX_LOCAL_RESULT_BYTES - 10_000
    asked = calls(*[("look", {"size": size})] * 20)
    for parallel in (False, True):
        served = durable(adding(asked, tools=[add, look], parallel_tools=parallel))
        result = await served.run("go")
        assert [len(str(m.content)) for m in result.state.messages if m.role == "tool"] == [1, *[size] * 20]
        await replay(await history_of(client, served.runs[0]))


async def test_a_failure_that_passes_is_tried_again_as_an_ordinary_call(durable: Durable) -> None:
    begun: list[bool] = []

    async def fetch(a: int) -> int:
        """Fail when it is local."""
        begun.append(activity.info().is_local)
        if begun[-1]:
            raise ConnectionError("away")
        return a

    fetching = locally(fetch, retry_on=[ConnectionError])
    result = await durable(adding(calls(("fetch", {"a": 7})), tools=[add, fetching])).run("go")

    assert result.state.messages[-2].content == "7"
    assert begun == [True, False]


async def test_what_a_local_tool_raises_is_the_models_to_read(durable: Durable) -> None:
    async def broken(a: int) -> int:
        """Raise what is no Exception, too."""
        raise (RuntimeError("no otter"), SystemExit(3), asyncio.CancelledError("nobody asked"))[a]

    asked = calls(*[("broken", {"a": a}) for a in range(3)])
    result = await durable(adding(asked, tools=[add, locally(broken)])).run("go")

    told = [str(m.content) for m in result.state.messages if m.role == "tool"][1:]
    for said, name in zip(told, ("no otter", "SystemExit", "CancelledError"), strict=True):
        assert name in said


async def test_one_that_asks_a_person_waits_for_one(client: Client, durable: Durable) -> None:
    async def ask(a: int) -> str:
        """Ask."""
        raise Interrupt({"question": a})

    served = durable(adding(calls(("ask", {"a": 7})), tools=[add, locally(ask)]))

    paused = await served.run("go", session_id=None)
    assert paused.interrupted
    assert paused.resume_token is not None
    result = await served.resume(paused.resume_token, "an otter")

    assert result.state.messages[-2].content == "an otter"
    await replay(await history_of(client, served.runs[0]))


async def test_a_run_that_continues_as_new_at_every_boundary(durable: Durable) -> None:
    asked = [calls(("add", {"a": n, "b": 1})) for n in range(4)]
    theirs = await adding(*asked).run("go")

    ours = await durable(adding(*asked, tools=[add]), continue_policy=ContinuePolicy(events=1)).run("go")

    assert_same(ours, theirs)


async def test_without_room_in_the_cache_every_call_finds_its_state(durable: Durable) -> None:
    asked = calls(*[("add", {"a": n, "b": 1}) for n in range(4)])
    theirs = await adding(asked).run("go")

    ours = await durable(adding(asked, tools=[add]), cache_bytes=0).run("go")

    assert_same(ours, theirs)


async def test_a_cancelled_run_does_not_wait_for_it(client: Client, durable: Durable) -> None:
    gate = Gate()

    async def wait(a: int) -> int:
        """Wait."""
        await gate.pass_through()
        return a

    served = durable(adding(calls(("wait", {"a": 1})), tools=[add, locally(wait)]))
    run = await served.start("go")
    await asyncio.wait_for(gate.begun.wait(), 60)

    await run.cancel()

    assert (await asyncio.wait_for(run.result(), 60)).stopped_reason is StopReason.CANCELLED
    await replay(await history_of(client, run))


async def test_the_key_of_a_call_is_the_same_locally_and_not(durable: Durable) -> None:
    keys: list[str] = []

    async def note(a: int) -> int:
        """Note the key; take too long when it is local."""
        keys.append(idempotency_key())
        if activity.info().is_local:
            await asyncio.Event().wait()
        return a

    await durable(adding(calls(("note", {"a": 1})), tools=[add, locally(note, timeout_s=0.2)])).run("go")

    assert len(keys) == 2
    assert len(set(keys)) == 1


async def test_what_the_workers_policy_wants_otherwise_makes_it_an_ordinary_call(client: Client) -> None:
    begun: list[bool] = []

    async def look_at(a: int) -> int:
        """Look."""
        begun.append(activity.info().is_local)
        return a

    agent = Agent(ScriptedProvider(calls(("look_at", {"a": 1})), text("done")), tools=[locally(look_at)], name="once")
    policy = ActivityPolicy(at_most_once=True)
    async with AgentWorker(client, agents=[agent], task_queue="local-once", tool_policy=policy):
        assert (await DurableAgent("once", client, task_queue="local-once").run("go")).ok
    assert begun == [False]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"at_most_once": True}, "take away at_most_once or local=True"),
        ({"task_queue": "gpu"}, "take away task_queue or local=True"),
        ({"timeout_s": 5.5}, "timeout_s is 5.5; a local tool holds up its run"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: dict[str, Any], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        durable(local=True, **options)


async def test_a_gated_tool_is_not_local(client: Client) -> None:
    @tool(approve=True)
    async def pay(amount: int) -> str:
        """Pay."""
        return f"paid {amount}"

    with pytest.raises(BadInput, match="tool 'pay' is gated and local"):
        durable(local=True)(pay)

    @tool(approve=True)
    @durable(local=True)
    async def spend(amount: int) -> str:
        """Pay, marked below the gate."""
        return f"paid {amount}"

    agent = Agent(ScriptedProvider(text("hi")), tools=[spend], name="spender")
    with pytest.raises(AgentBroken, match="tool 'spend' is gated and local"):
        AgentWorker(client, agents=[agent], task_queue="local-gated")


def locally(func: Any, **options: Any) -> Tool:
    made = durable(local=True, **options)(tool(func))
    assert isinstance(made, Tool)
    return made
