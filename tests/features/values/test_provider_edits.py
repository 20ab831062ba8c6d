"""What a provider does to the messages it is given is in the State, as on the kernel, and in every worker's."""

from collections.abc import Callable
from typing import Any

import pytest
from spine_core import Agent, Message, ModelResponse, Tool
from spine_core.testing import ScriptedProvider, calls, text

from tests.features.sessions.talk import new_session
from tests.support.agents_at_hand import add
from tests.support.harness import Durable, assert_same

pytestmark = pytest.mark.durable

type Edit = Callable[[list[Message]], object]


class Editing:
    """A provider that edits the conversation in place, and goes by what it finds there."""

    def __init__(self, edit: Edit) -> None:
        self._edit = edit
        self.given: list[list[dict[str, Any]]] = []

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        self.given.append([message.model_dump() for message in messages])
        self._edit(messages)
        return calls(("add", {"a": 1, "b": 2})) if len(self.given) == 1 else text(f"answer {len(self.given)}")


def text_of_the_first(messages: list[Message]) -> None:
    messages[0].content = f"{messages[0].content}!"


def parts_of_the_first(messages: list[Message]) -> None:
    messages[0].parts = [*(messages[0].parts or []), {"cache": True}]


def arguments_of_a_call(messages: list[Message]) -> None:
    for message in messages:
        for call in message.tool_calls:
            call.arguments["marked"] = [*call.arguments.get("marked", []), len(messages)]


def a_result(messages: list[Message]) -> None:
    for message in messages:
        if message.role == "tool":
            message.content = f"({message.content})"


def the_list(messages: list[Message]) -> None:
    messages.insert(0, Message.system("be brief"))


def the_end_of_the_list(messages: list[Message]) -> None:
    messages.append(Message.user("please"))


def nothing(messages: list[Message]) -> None:
    assert messages


class Idle:
    """Middleware with a hook, so that the State is copied for it in any case."""

    async def after_model(self, ctx: Any) -> None:
        assert ctx.state


EDITS = [text_of_the_first, parts_of_the_first, arguments_of_a_call, a_result, the_list, the_end_of_the_list, nothing]


@pytest.mark.parametrize("hooked", [False, True], ids=["without hooks", "with a hook"])
@pytest.mark.parametrize("edit", EDITS)
async def test_what_the_provider_edits_is_found_at_the_next_step_and_turn(
    durable: Durable, edit: Edit, hooked: bool
) -> None:
    middleware: list[Any] = [Idle()] if hooked else []
    ours, theirs, session = Editing(edit), Editing(edit), new_session()
    served = durable(Agent(ours, tools=[add], middleware=middleware))
    kernel = Agent(theirs, tools=[add], middleware=middleware)

    for said in ("go", "go on"):
        result = await served.run(said, session_id=session)
        assert_same(result, await kernel.run(said, session_id=session))
    assert ours.given == theirs.given


class Emptying(Tool):
    """A tool that empties the arguments it is given."""

    async def call(self, args: dict[str, Any]) -> Any:
        args["words"].clear()
        args.clear()
        return "emptied"


class Watching:
    """Middleware with a hook of tools."""

    async def after_tool(self, ctx: Any) -> None:
        assert ctx.state


@pytest.mark.parametrize("hooked", [False, True], ids=["without hooks", "with a hook"])
async def test_what_a_tool_does_to_its_arguments_is_in_the_state_as_on_the_kernel(
    durable: Durable, hooked: bool
) -> None:
    def agent() -> Agent:
        provider = ScriptedProvider(calls(("empty", {"words": ["a"]})), text("done"))
        tools: list[Tool] = [Emptying(name="empty", description="", parameters={}, func=print)]
        return Agent(provider, tools=tools, middleware=[Watching()] if hooked else [])

    result = await durable(agent()).run("go")

    kernels = await agent().run("go")
    assert result.state.messages == kernels.state.messages
    assert result.state.messages[1].tool_calls[0].arguments == {"words": []}
