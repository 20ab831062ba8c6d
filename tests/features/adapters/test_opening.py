"""An agent that cannot be built when its run opens is tried again; one that never can is refused at once."""

import uuid

import pytest
from spine_core import Agent, StopReason
from spine_core.testing import ScriptedProvider, text
from spine_mcp import MCPToolset
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.agents.registry import AgentFactory
from spine_temporal.errors import AgentBroken
from tests.features.adapters.agents import Obedient
from tests.features.adapters.processes import Stage

pytestmark = pytest.mark.durable


async def run(client: Client, factory: AgentFactory) -> object:
    """The answer of an agent that `factory` builds."""
    task_queue = f"opening-{uuid.uuid4().hex}"
    async with AgentWorker(client, agents={"agent": factory}, task_queue=task_queue):
        result = await DurableAgent("agent", client, task_queue=task_queue).run("go")
    assert result.stopped_reason is StopReason.FINAL
    return result.answer


async def test_a_factory_that_fails_once_is_called_again(client: Client) -> None:
    made: list[str] = []

    async def build() -> Agent:
        made.append("made")
        if len(made) == 1:
            raise RuntimeError("the vault is sealed")
        return Agent(ScriptedProvider(text("here")))

    assert await run(client, build) == "here"
    assert made == ["made", "made"]


async def test_a_factory_that_always_fails_ends_the_run_with_its_reason_without_secrets(client: Client) -> None:
    async def build() -> Agent:
        raise RuntimeError("403 for https://example.com/v1?key=hunter2-9c1f")

    with pytest.raises(AgentBroken, match=r"raised RuntimeError: 403 for https://example.com/v1\?key=\*\*\*"):
        await run(client, build)


async def test_a_factory_that_lacks_a_plugin_is_called_once(client: Client) -> None:
    made: list[str] = []

    async def build() -> Agent:
        made.append("made")
        return Agent("nowhere:some-model")

    with pytest.raises(AgentBroken, match="no plugin registers scheme 'nowhere'"):
        await run(client, build)
    assert made == ["made"]


@pytest.mark.filterwarnings("ignore:Use `streamable_http_client` instead:DeprecationWarning")
async def test_an_mcp_server_that_is_away_when_the_run_opens_is_waited_for(stage: Stage) -> None:
    server = await stage.server()
    mcp = MCPToolset(url=stage.url)
    agent = Agent(Obedient(), tools=await mcp.load_tools(), name="connected")
    await mcp.aclose()
    server.kill()
    server.wait()
    async with AgentWorker(stage.client, agents=[agent], task_queue=stage.task_queue):
        opening = await stage.agent("connected").start("whoami")

        server = await stage.server()

        assert (await opening.result()).answer == str(server.pid)
