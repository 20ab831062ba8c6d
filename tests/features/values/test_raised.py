"""An error that is its own cause, wherever it is raised, is an error like any other."""

from typing import Any

import pytest
from spine_core import Agent, Message, ModelResponse, StopReason, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.client import Client

from spine_temporal import ActivityPolicy, AgentWorker, DurableAgent
from spine_temporal.errors import AgentBroken
from tests.support.harness import Durable, assert_same

pytestmark = pytest.mark.durable

TWICE = ActivityPolicy(attempts=2, retry_first_s=0.1)


def circular(error: Exception) -> Exception:
    """The error, its own cause by a detour."""
    error.__cause__ = RuntimeError("in between")
    error.__cause__.__cause__ = error
    return error


def raise_itself(error: Exception) -> None:
    raise error from error


@tool
async def broken() -> str:
    """Raise."""
    raise_itself(ValueError("no otter"))
    return ""


@tool
async def broken_by_a_detour() -> str:
    """Raise."""
    raise circular(ConnectionError("no otter"))


@pytest.mark.parametrize("name", ["broken", "broken_by_a_detour"])
async def test_tool_that_raises_an_error_caused_by_itself_is_told_as_by_the_kernel(durable: Durable, name: str) -> None:
    def agent() -> Agent:
        return Agent(ScriptedProvider(calls((name, {})), text("sorry")), tools=[broken, broken_by_a_detour])

    assert_same(await durable(agent()).run("go"), await agent().run("go"))


class Broken:
    """A provider whose errors are their own causes; passing ones go on for ever."""

    def __init__(self, error: Exception, *, detour: bool) -> None:
        self._error, self._detour = error, detour

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        if self._detour:
            raise circular(self._error)
        raise self._error from self._error


@pytest.mark.parametrize("detour", [False, True], ids=["itself", "detour"])
@pytest.mark.parametrize("error", [ValueError("no otter"), ConnectionError("no otter")], ids=["lasting", "passing"])
async def test_provider_that_raises_an_error_caused_by_itself_ends_the_run(
    durable: Durable, error: Exception, detour: bool
) -> None:
    result = await durable(Agent(Broken(error, detour=detour)), step_policy=TWICE).run("go")

    assert result.stopped_reason is StopReason.ERROR
    assert "no otter" in str(result.error)


class Hooks:
    """Middleware one of whose hooks raises an error that is its own cause."""

    def __init__(self, hook: str) -> None:
        async def raising(*_: Any) -> None:
            raise_itself(ConnectionError("no otter"))

        setattr(self, hook, raising)


@pytest.mark.parametrize(
    "hook", ["on_run_start", "before_model", "after_model", "before_tool", "after_tool", "on_run_end"]
)
async def test_hook_that_raises_an_error_caused_by_itself_ends_the_run(durable: Durable, hook: str) -> None:
    @tool
    async def find() -> str:
        """Find something."""
        return "an otter"

    agent = Agent(ScriptedProvider(calls(("find", {})), text("done")), tools=[find], middleware=[Hooks(hook)])

    result = await durable(agent, step_policy=TWICE, tool_policy=TWICE).run("go")

    assert result.stopped_reason is (StopReason.FINAL if hook == "on_run_end" else StopReason.ERROR)
    assert hook == "on_run_end" or "no otter" in str(result.error)


@pytest.mark.parametrize("detour", [False, True], ids=["itself", "detour"])
async def test_factory_that_raises_an_error_caused_by_itself_is_tried_again(client: Client, detour: bool) -> None:
    made = list[Exception]()

    def factory() -> Agent:
        if not made:
            made.append(ConnectionError("no otter"))
            if detour:
                raise circular(made[0])
            raise_itself(made[0])
        return Agent(ScriptedProvider(text("done")))

    queue = f"itself-{detour}"
    async with AgentWorker(client, agents={"otter": factory}, task_queue=queue):
        assert (await DurableAgent("otter", client, task_queue=queue).run("go")).answer == "done"


async def test_agent_refused_by_an_error_caused_by_itself_is_refused_with_its_text(client: Client) -> None:
    def factory() -> Agent:
        raise_itself(AgentBroken("no otter"))
        raise AssertionError

    async with AgentWorker(client, agents={"otter": factory}, task_queue="itself"):
        with pytest.raises(AgentBroken, match="no otter"):
            await DurableAgent("otter", client, task_queue="itself").run("go")


class Refusing:
    """A checkpoint backend whose errors are their own causes."""

    async def put(self, state: Any) -> None:
        raise_itself(ConnectionError("no otter"))

    async def get(self, session_id: str) -> None:
        return None

    async def delete(self, session_id: str) -> None:
        return None


async def test_backend_that_raises_an_error_caused_by_itself_leaves_the_result(durable: Durable) -> None:
    agent = Agent(ScriptedProvider(text("done")), checkpoint=Refusing())

    result = await durable(agent, step_policy=TWICE).run("go")

    assert result.answer == "done"
