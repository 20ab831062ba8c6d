"""Running an agent from a client, as one runs a kernel agent."""

import asyncio
import itertools
import uuid

import anyio
import pytest
from spine_core import Agent, StopReason, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.client import Client

from spine_temporal import DurableAgent
from spine_temporal.contracts import names
from spine_temporal.testing import durable as in_two_lines
from tests.support.agents_at_hand import Gate, add, adding_agent, endless_agent
from tests.support.harness import ONLY_NORMAL, Durable, activities_in, assert_same, history_of, told

pytestmark = pytest.mark.durable


async def test_run_gives_the_kernels_result(durable: Durable) -> None:
    served = durable(adding_agent())

    result = await served.run("1 + 2?")

    assert_same(result, await adding_agent().run("1 + 2?"))
    assert served.last_result is result
    assert await served.runs[0].state() == result.state
    history = await history_of(durable.client, served.runs[0])
    assert activities_in(history) == [names.STEP_ACTIVITY, names.TOOL_ACTIVITY, names.STEP_ACTIVITY]


async def test_a_named_session_gives_its_id_to_the_state_and_the_workflow(durable: Durable) -> None:
    served = durable(adding_agent())

    session_id = f"order-{uuid.uuid4().hex}"
    result = await served.run("1 + 2?", session_id=session_id)

    assert result.state.session_id == session_id
    assert served.runs[0].workflow_id == f"spine-{session_id}"


async def test_stream_gives_the_trace_and_leaves_the_result(durable: Durable) -> None:
    served = durable(adding_agent())

    events = [event async for event in served.stream("1 + 2?")]

    assert served.last_result is not None
    told = [event.model_dump(exclude={"id"}) for event in events if event.type != "token"]
    assert told == [event.model_dump() for event in served.last_result.trace]
    assert [event.data for event in events if event.type == "token"] == [{"delta": "3"}]


async def test_a_run_is_found_again_by_its_id_from_another_client(client: Client, durable: Durable) -> None:
    served = durable(adding_agent())
    run = await served.start("1 + 2?")
    elsewhere = await Client.connect(client.service_client.config.target_host)

    result = await DurableAgent("agent", elsewhere).get_run(run.id).result()

    assert result.answer == "3"


async def test_events_are_told_while_the_run_goes_on(durable: Durable) -> None:
    gate = Gate()

    @tool
    async def wait() -> str:
        """Wait."""
        await gate.pass_through()
        return "waited"

    run = await durable(Agent(ScriptedProvider(calls(("wait", {})), text("done")), tools=[wait])).start("go")
    seen = []
    async for event in run.events():
        seen.append(str(event.type))
        if event.type == "tool_call":
            gate.open.set()

    assert seen == [
        "step_start",
        "model_call",
        "model_response",
        "tool_call",
        "tool_result",
        "step_start",
        "model_call",
        "model_response",
        "final",
    ]


async def test_stop_ends_the_run_at_the_next_step_boundary(durable: Durable) -> None:
    run = await durable(endless_agent()).start("go")
    async for event in run.events():
        if event.type == "tool_result":
            await run.stop()
            break

    result = await run.result()

    assert result.stopped_reason is StopReason.CANCELLED
    assert told(result)[-1] == ("guard_trip", result.state.step, {"reason": "cancelled"})
    assert result.state.messages[-1].role == "tool"
    await run.stop()


async def test_should_cancel_stops_a_run_that_has_begun(durable: Durable) -> None:
    ticks = iter([False, False])

    result = await durable(endless_agent()).run("go", should_cancel=lambda: next(ticks, True))

    assert result.stopped_reason is StopReason.CANCELLED


@pytest.mark.parametrize("first", [1, 2], ids=["at once", "later"])
async def test_what_should_cancel_raises_is_raised_as_by_the_kernel_and_no_further_step_is_taken(
    durable: Durable, first: int
) -> None:
    asked = itertools.count(1)

    def broken() -> bool:
        if next(asked) >= first:
            error = ValueError("no clock")
            raise error from error
        return False

    served = durable(endless_agent())

    with pytest.raises(ValueError, match="no clock"):
        await served.run("go", should_cancel=broken)
    asked = itertools.count(1)
    with pytest.raises(ValueError, match="no clock"):
        await endless_agent().run("go", should_cancel=broken)

    for run in served.runs:
        assert (await run.result()).stopped_reason is StopReason.CANCELLED


async def test_should_cancel_that_says_so_at_once_takes_no_step(durable: Durable) -> None:
    ours = await durable(adding_agent()).run("go", should_cancel=lambda: True)

    assert_same(ours, await adding_agent().run("go", should_cancel=lambda: True))


async def test_cancel_ends_a_run_in_the_midst_of_a_tool(durable: Durable) -> None:
    gate = Gate()
    cancelled = asyncio.Event()

    @tool
    async def wait() -> str:
        """Wait."""
        try:
            await gate.pass_through()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return "waited"

    run = await durable(Agent(ScriptedProvider(calls(("wait", {})), text("done")), tools=[wait])).start("go")
    await gate.begun.wait()
    await run.cancel()

    result = await run.result()

    assert result.stopped_reason is StopReason.CANCELLED
    assert [message.role.value for message in result.state.messages] == ["user", "assistant"]
    await asyncio.wait_for(cancelled.wait(), 30)


async def test_a_terminated_run_has_a_result_that_says_so(client: Client, durable: Durable) -> None:
    run = await durable(endless_agent()).start("go")
    async for event in run.events():
        if event.type == "tool_result":
            break
    await client.get_workflow_handle(run.workflow_id).terminate(reason="too expensive")

    result = await run.result()

    assert (result.stopped_reason, result.error) == (StopReason.ERROR, "the run was terminated: too expensive")
    assert result.state.step >= 1


async def test_parallel_tools_run_side_by_side_and_enter_in_call_order(durable: Durable) -> None:
    def agent(first: asyncio.Event) -> Agent:
        @tool
        async def slow() -> str:
            """Finish last."""
            await first.wait()
            return "slow"

        @tool
        async def quick() -> str:
            """Finish first."""
            first.set()
            return "quick"

        script = ScriptedProvider(calls(("slow", {}), ("quick", {}), ("add", {"a": 1, "b": 1})), text("done"))
        return Agent(script, tools=[slow, quick, add], parallel_tools=True)

    ours = await durable(agent(asyncio.Event())).run("go")

    theirs = await agent(asyncio.Event()).run("go")
    assert ours.state.model_copy(update={"session_id": ""}) == theirs.state.model_copy(update={"session_id": ""})
    assert sorted(map(str, told(ours))) == sorted(map(str, told(theirs)))


async def test_any_agent_runs_durably_in_two_lines(client: Client) -> None:
    async with in_two_lines(adding_agent(), client=client) as agent:
        result = await agent.run("1 + 2?")

    assert result.answer == "3"


async def test_run_sync_needs_no_event_loop(client: Client) -> None:
    async with in_two_lines(adding_agent(), client=client) as agent:
        results = [await anyio.to_thread.run_sync(agent.run_sync, "1 + 2?") for _ in range(1)]

    assert [result.answer for result in results] == ["3"]


@ONLY_NORMAL
async def test_long_runs_of_many_pages_are_folded_whole(durable: Durable) -> None:
    script = [calls(("add", {"a": n, "b": 1})) for n in range(60)]
    agent = Agent(ScriptedProvider(*script, text("done")), tools=[add])
    agent.guards.max_steps = None

    result = await durable(agent).run("go")

    assert [message.content for message in result.state.messages if message.role == "tool"] == [
        str(n + 1) for n in range(60)
    ]
