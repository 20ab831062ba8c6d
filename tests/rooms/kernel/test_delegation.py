"""The depth of nested agents is the kernel's own count: this fails when it counts otherwise."""

from spine_core import Agent, tool
from spine_core.testing import ScriptedProvider, calls, text

from spine_temporal.kernel.delegation import DEPTH


async def test_an_agent_within_an_agents_tool_is_one_deeper() -> None:
    depths: list[int] = []

    @tool
    async def look() -> str:
        """Note the depth."""
        depths.append(DEPTH.get())
        return "looked"

    inner = Agent(ScriptedProvider(calls(("look", {})), text("done")), tools=[look], name="inner")
    outer = Agent(
        ScriptedProvider(calls(("look", {}), ("inner", {"input": "go"})), text("done")), tools=[look, inner.as_tool()]
    )

    await outer.run("go")

    assert depths == [0, 1]
