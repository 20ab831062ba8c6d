"""What made a tool is read from its closure: this fails when spinekit makes its tools otherwise."""

from types import SimpleNamespace

from spine_core import Agent, Tool, tool
from spine_core.testing import ScriptedProvider
from spine_mcp import MCPToolset
from spine_orchestration import Handoff

from spine_temporal.kernel.closures import agent_of, mcp_toolset_of, transfer_target_of


@tool
async def ordinary(name: str) -> str:
    """Answer."""
    return name


class Session:
    """An MCP session with one tool."""

    async def list_tools(self) -> SimpleNamespace:
        return SimpleNamespace(tools=[SimpleNamespace(name="whoami", description="", inputSchema={})])


def an_agent() -> Agent:
    return Agent(ScriptedProvider(), name="clerk")


def test_the_agent_of_a_tool_is_found_with_its_depth() -> None:
    agent = an_agent()

    assert agent_of(agent.as_tool(max_depth=3)) == (agent, 3)


def test_the_target_of_a_transfer_is_found() -> None:
    desk, clerk = an_agent(), an_agent()
    Handoff({"desk": desk, "clerk": clerk}, start="desk")

    assert transfer_target_of(desk.tools["transfer_to_clerk"]) == "clerk"


async def test_the_toolset_of_a_tool_is_found_with_the_servers_name_of_it() -> None:
    toolset = MCPToolset(session=Session())
    (made,) = await toolset.load_tools()

    assert mcp_toolset_of(made) == (toolset, "whoami")


def test_an_ordinary_tool_was_made_by_none_of_them() -> None:
    made: Tool = ordinary

    assert (agent_of(made), transfer_target_of(made), mcp_toolset_of(made)) == (None, None, None)
