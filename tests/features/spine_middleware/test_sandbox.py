"""Spine's `Sandbox`, as it is, bounds what a tool takes in a worker."""

import os
from pathlib import Path

import pytest
from spine_core import Agent, Message, StopReason, Tool, tool
from spine_core.testing import ScriptedProvider, calls, text
from spine_middleware import Sandbox

from tests.features.spine_middleware.scenes import FORKS
from tests.support.harness import ONLY_NORMAL, Durable

MB = 1024 * 1024
pytestmark = [
    pytest.mark.durable,
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the size of a process cannot be read here"),
    FORKS,
    ONLY_NORMAL,
]


@tool
def where() -> str:
    """Say in which process it runs."""
    return str(os.getpid())


@tool
def take(mb: int) -> str:
    """Take memory."""
    return str(len(bytearray(mb * MB)) // MB)


@tool
def spin() -> str:
    """Never end."""
    while True:
        pass


async def results(durable: Durable, sandbox: Sandbox, *script: tuple[str, dict[str, int]]) -> list[str]:
    """What the model reads of the calls that it makes."""
    tools: list[Tool] = [where, take, spin]
    agent = Agent(ScriptedProvider(calls(*script), text("done")), tools=tools, middleware=[sandbox])
    result = await durable(agent).run("go")
    assert result.stopped_reason is StopReason.FINAL
    messages: list[Message] = result.state.messages
    return [message.content or "" for message in messages if message.role == "tool"]


async def test_a_sandboxed_tool_gives_its_result_from_a_process_of_its_own(durable: Durable) -> None:
    pid, taken = await results(durable, Sandbox(), ("where", {}), ("take", {"mb": 1}))

    assert pid.isdigit()
    assert pid != str(os.getpid())
    assert taken == "1"


async def test_a_tool_that_takes_too_much_memory_fails_and_one_that_does_not_is_not_harmed(durable: Durable) -> None:
    small, large = await results(durable, Sandbox(max_memory_mb=200), ("take", {"mb": 100}), ("take", {"mb": 300}))

    assert small == "100"
    assert large == "Error: sandboxed tool 'take' failed: MemoryError()"


async def test_a_tool_that_never_ends_is_killed(durable: Durable) -> None:
    (killed,) = await results(durable, Sandbox(timeout_s=0.5), ("spin", {}))

    assert killed == "Error: tool 'spin' exceeded the 0.5s sandbox timeout"


async def test_a_tool_that_takes_too_much_of_the_processor_is_killed(durable: Durable) -> None:
    (killed,) = await results(durable, Sandbox(timeout_s=60.0, max_cpu_s=1), ("spin", {}))

    assert killed == "Error: tool 'spin' was killed by a sandbox resource limit"
