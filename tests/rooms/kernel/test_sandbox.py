"""The memory limit of spine's `Sandbox` counts what the tool takes: this fails when the middleware limits otherwise."""

import mmap
from pathlib import Path

import pytest
from spine_core import State, Tool, ToolCall, ToolContext, tool
from spine_middleware import Sandbox, sandbox

from spine_temporal.kernel.sandbox import limit_what_tools_take

MB = 1024 * 1024
pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the size of a process cannot be read here"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded, use of fork:DeprecationWarning"),
]


@tool
def take(mb: int) -> str:
    """Take memory."""
    return str(len(bytearray(mb * MB)) // MB)


async def sandboxed(func: Tool, **arguments: int) -> str:
    context = ToolContext(State(session_id="s"), func, ToolCall(id="c", name=func.name, arguments=arguments))
    await Sandbox(timeout_s=60.0).before_tool(context)
    return str(context.result)


async def test_a_process_larger_than_the_limit_still_runs_its_tools() -> None:
    limit_what_tools_take()
    with mmap.mmap(-1, 1024 * MB):
        assert await sandboxed(take, mb=1) == "1"


async def test_the_limit_bounds_what_the_tool_takes() -> None:
    limit_what_tools_take()

    assert "MemoryError" in await sandboxed(take, mb=600)
    assert await sandboxed(take, mb=300) == "300"


async def test_the_kernels_own_limit_is_the_one_that_is_replaced() -> None:
    limit_what_tools_take()

    assert sandbox._set_limits.__module__ == "spine_temporal.kernel.sandbox"
