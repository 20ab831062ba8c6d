"""What a hook changes is found later durably where it is found later on the kernel."""

from typing import Any

import pytest
from spine_core import Agent, Middleware, Result, State, StepContext, ToolContext
from spine_core.testing import calls, text

from tests.features.spine_middleware.scenes import NOTE, OTTER, TOOLS, Script
from tests.support.harness import Durable, assert_same

pytestmark = pytest.mark.durable

type Found = tuple[str, str | None, Any]
"""What a hook finds: its name, the hook that wrote into the State last, what is in its context."""


class Meddler(Middleware):
    """Changes in each hook all that it may, and writes down what it finds there."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        self._other = Script((calls(OTTER, NOTE),))

    def _meddle(self, hook: str, state: State, context: Any = None) -> None:
        self.found.append((hook, state.scratch.get("last"), context))
        state.scratch["last"] = hook

    async def on_run_start(self, state: State) -> None:
        self._meddle("on_run_start", state)

    async def before_model(self, ctx: StepContext) -> None:
        self._meddle("before_model", ctx.state, self._in(ctx))
        ctx.extra["step"] = ctx.state.step
        ctx.messages, ctx.tools = ctx.messages[-1:], []
        ctx.provider = self._other if ctx.state.step == 1 else ctx.provider

    async def after_model(self, ctx: StepContext) -> None:
        self._meddle("after_model", ctx.state, self._in(ctx))
        if ctx.response is not None and ctx.response.message.tool_calls:
            ctx.response.message.content = "let me see"

    async def before_tool(self, ctx: ToolContext) -> None:
        self._meddle("before_tool", ctx.state, dict(ctx.args))
        ctx.args = {"words": "seals bark"} if ctx.call.name == "note" else ctx.args

    async def after_tool(self, ctx: ToolContext) -> None:
        self._meddle("after_tool", ctx.state, (dict(ctx.args), str(ctx.result)[:6]))
        ctx.result = {"screened": ctx.call.name}

    async def on_run_end(self, state: State, result: Result) -> None:
        self._meddle("on_run_end", state, result.answer)
        result.answer = f"all in all: {result.answer}"
        result.usage.cost_usd += 0.25

    def _in(self, ctx: StepContext) -> Any:
        return dict(ctx.extra), len(ctx.messages), len(ctx.tools), ctx.provider is self._other


# The State's last writer is always the hook before, wherever that ran; of the contexts, only what lasts.
FOUND: list[Found] = [
    ("on_run_start", None, None),
    ("before_model", "on_run_start", ({}, 1, 4, False)),
    ("after_model", "before_model", ({"step": 1}, 1, 0, True)),
    ("before_tool", "after_model", {"name": "otter"}),
    ("after_tool", "before_tool", ({"name": "otter"}, "otter:")),
    ("before_tool", "after_tool", {"words": "otters eat fish"}),
    ("after_tool", "before_tool", ({"words": "seals bark"}, "{'note")),
    ("before_model", "after_tool", ({}, 4, 4, False)),
    ("after_model", "before_model", ({"step": 2}, 1, 0, False)),
    ("on_run_end", "after_model", "done"),
]


async def test_what_a_hook_changes_is_found_later_as_on_the_kernel(durable: Durable) -> None:
    def agent(meddler: Meddler) -> Agent:
        return Agent(Script((text("done"),)), tools=TOOLS, middleware=[meddler])

    ours, theirs = Meddler(), Meddler()
    result = await durable(agent(ours)).run("go")

    assert_same(result, await agent(theirs).run("go"))
    assert ours.found == theirs.found == FOUND
    assert [message.content for message in result.state.messages] == [
        "go",
        "let me see",
        '{"screened": "lookup"}',
        '{"screened": "note"}',
        "done",
    ]
    assert (result.answer, result.state.scratch) == ("all in all: done", {"last": "on_run_end"})
