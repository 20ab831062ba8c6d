"""MCP servers are connected once per worker, again when they die, and are let go with the worker."""

import os
import signal
from contextlib import nullcontext
from dataclasses import replace

import psutil
import pytest
from spine_core import Agent, StopReason
from spine_mcp import MCPToolset

from spine_temporal import AgentWorker
from spine_temporal.agents.registry import AgentRegistry
from tests.features.adapters.agents import Obedient
from tests.features.adapters.processes import Stage, is_alive
from tests.support.harness import history_of, replay
from tests.support.waiting import until

pytestmark = pytest.mark.durable


async def test_a_server_of_the_workers_own_is_started_once_again_when_it_dies_and_ends_with_the_worker(
    stage: Stage,
) -> None:
    worker = stage.worker()
    first = await stage.run("own", "whoami\nwhoami")
    pid = int(first.answer or "")
    assert (await stage.run("own", "whoami")).answer == str(pid)
    assert [child.pid for child in psutil.Process(worker.pid).children()] == [pid]

    os.kill(pid, signal.SIGKILL)
    # A call that is sent before the worker has noticed is lost in its midst, and not made again.
    await until(lambda: not psutil.pid_exists(pid), "the worker's notice of its server's end")
    again = int((await stage.run("own", "whoami")).answer or "")

    assert again != pid
    assert is_alive(again)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait() == 0
    await until(lambda: not is_alive(again), "the end of the server")


async def test_a_call_whose_server_dies_in_its_midst_is_not_made_again_and_the_model_is_told(stage: Stage) -> None:
    (stage.folder / "linger").touch()
    stage.worker()
    pid = int((await stage.run("own", "whoami")).answer or "")
    run = await stage.agent("own").start("linger")
    await until((stage.folder / "lingering").exists, "the call")
    (stage.folder / "lingering").unlink()

    os.kill(pid, signal.SIGKILL)

    result = await run.result()
    assert (result.stopped_reason, result.state.step) == (StopReason.FINAL, 2)
    assert "was lost in the midst of the call; whether it was done is unknown" in str(result.answer)
    assert not (stage.folder / "lingering").exists()


# Spine's toolset connects by a function that mcp has renamed.
@pytest.mark.filterwarnings("ignore:Use `streamable_http_client` instead:DeprecationWarning")
async def test_an_agent_that_was_connected_before_its_worker_began_survives_its_server_too(stage: Stage) -> None:
    server = await stage.server()
    async with MCPToolset(url=stage.url) as mcp:
        agent = Agent(Obedient(), tools=await mcp.load_tools(), name="connected")
        async with AgentWorker(stage.client, agents=[agent], task_queue=stage.task_queue):
            first = await stage.run("connected", "whoami")
            server.kill()
            server.wait()
            server = await stage.server()

            again = await stage.run("connected", "whoami")

    assert first.answer != again.answer
    assert again.answer == str(server.pid)


async def test_a_gated_tool_that_goes_with_its_server_is_gated_when_it_comes_back(stage: Stage) -> None:
    async def build() -> Agent:
        tools = await MCPToolset(url=stage.url).load_tools()
        return Agent(Obedient(), tools=[replace(tool, approve=tool.name == "linger") for tool in tools])

    registry, seen = AgentRegistry({"gated": build}), list[tuple[bool, ...]]()
    for environment in ({}, {"OTHER_TOOLS": "yes"}, {}):
        server = await stage.server(**environment)
        with pytest.warns(DeprecationWarning, match="streamable_http_client") if not seen else nullcontext():
            tools = (await registry.get("gated")).tools
        assert await tools["whoami"].call({}) == str(server.pid)
        seen.append(tuple(tool.approve for name, tool in tools.items() if name == "linger"))
        server.kill()
        server.wait()
    await registry.aclose()

    assert seen == [(True,), (), (True,)]


async def test_a_remote_server_that_comes_back_with_other_tools_breaks_no_run(stage: Stage) -> None:
    server = await stage.server()
    stage.worker()
    (stage.folder / "linger").touch()
    run = await stage.agent("remote").start('linger\nlinger\ncount {"upto": 3}')
    await until((stage.folder / "lingering").exists, "the call")
    server.kill()
    server.wait()

    await stage.server(OTHER_TOOLS="yes")

    result = await run.result()
    lost, gone, counted = [message.content for message in result.state.messages if message.role == "tool"]
    assert "was lost in the midst of the call" in str(lost)
    assert "linger" in str(gone)
    assert (result.stopped_reason, counted) == (StopReason.FINAL, "1 2 3")
    assert (await stage.run("remote", 'count {"upto": 2}')).answer == "1 2"
    await replay(await history_of(stage.client, run))
