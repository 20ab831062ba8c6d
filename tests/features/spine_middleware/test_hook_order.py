"""Hooks of a run are called in the kernel's order, whichever activity calls them."""

from collections import Counter

import pytest
from spine_core import Agent, ErrorAction, Middleware, Result, State, StepContext, Tool, ToolContext, tool
from spine_core.testing import calls, text

from spine_temporal.contracts import names
from tests.features.spine_middleware.scenes import OTTER, OVERLOADED, SEAL, TOOLS, Line, Script
from tests.support.harness import ONLY_NORMAL, Durable, activities_in, assert_same, history_of

pytestmark = pytest.mark.durable

OUTER_FIRST = ["outer", "middle", "inner"]
INNER_FIRST = OUTER_FIRST[::-1]
UNTIL_RETRIED = ["outer", "middle"]


class Labelled(Middleware):
    """Writes down each call of its hooks, with what it was called for."""

    def __init__(self, name: str, labels: list[tuple[str, str]], on_error: ErrorAction | None = None) -> None:
        self._name = name
        self._labels = labels
        self._action = on_error

    def _write(self, label: str) -> None:
        self._labels.append((self._name, label))

    async def on_run_start(self, state: State) -> None:
        self._write(f"start at step {state.step}")

    async def before_model(self, ctx: StepContext) -> None:
        self._write(f"before model {ctx.state.step}")

    async def on_error(self, ctx: StepContext, err: Exception) -> ErrorAction | None:
        self._write(f"{err} {ctx.state.step}")
        return self._action

    async def after_model(self, ctx: StepContext) -> None:
        self._write(f"after model {ctx.state.step}")

    async def before_tool(self, ctx: ToolContext) -> None:
        self._write(f"before {ctx.call.name} {ctx.call.id}")

    async def after_tool(self, ctx: ToolContext) -> None:
        self._write(f"after {ctx.call.name} {ctx.call.id}")

    async def on_run_end(self, state: State, result: Result) -> None:
        self._write(f"end {result.stopped_reason.value}")


@tool(approve=True)
async def pay(amount: int) -> str:
    """Pay, if a person says so."""
    return f"paid {amount}"


@tool
async def broken() -> str:
    """Raise."""
    raise RuntimeError("no such otter")


STORY: list[tuple[list[str], str]] = [
    (OUTER_FIRST, "start at step 0"),
    (OUTER_FIRST, "before model 1"),
    (UNTIL_RETRIED, "overloaded 1"),
    (INNER_FIRST, "after model 1"),
    (OUTER_FIRST, "before lookup call_0"),
    (INNER_FIRST, "after lookup call_0"),
    (OUTER_FIRST, "before nowhere call_1"),
    (OUTER_FIRST, "before broken call_2"),
    (INNER_FIRST, "after broken call_2"),
    (OUTER_FIRST, "before model 2"),
    (INNER_FIRST, "after model 2"),
    (OUTER_FIRST, "before pay call_0"),
    (INNER_FIRST, "end interrupt"),
    (OUTER_FIRST, "start at step 2"),
    (OUTER_FIRST, "before pay call_0"),
    (INNER_FIRST, "after pay call_0"),
    (OUTER_FIRST, "before lookup call_1"),
    (INNER_FIRST, "after lookup call_1"),
    (OUTER_FIRST, "before model 3"),
    (INNER_FIRST, "after model 3"),
    (INNER_FIRST, "end final"),
]
LINES = (OVERLOADED, calls(OTTER, ("nowhere", {}), ("broken", {})), calls(("pay", {"amount": 5}), SEAL), text("done"))


def labelled(labels: list[tuple[str, str]], lines: tuple[Line, ...], *, parallel_tools: bool = False) -> Agent:
    actions = {"middle": ErrorAction.RETRY}
    tools: list[Tool] = [pay, broken, *(each for each in TOOLS if each.name != "pay")]
    middleware = [Labelled(name, labels, actions.get(name)) for name in OUTER_FIRST]
    return Agent(Script(lines), tools=tools, middleware=middleware, parallel_tools=parallel_tools)


async def test_hooks_of_a_run_are_called_in_the_kernels_order(durable: Durable) -> None:
    ours, theirs = list[tuple[str, str]](), list[tuple[str, str]]()
    served, kernel = durable(labelled(ours, LINES)), labelled(theirs, LINES)

    paused, expected = await served.run("go"), await kernel.run("go")
    assert_same(paused, expected)
    assert ours == theirs
    ended, expected = await served.resume(str(paused.resume_token)), await kernel.resume(str(expected.resume_token))
    assert_same(ended, expected)
    assert ours == theirs

    assert ours == [(name, label) for order, label in STORY for name in order]
    step, call, end = names.STEP_ACTIVITY, names.TOOL_ACTIVITY, names.END_ACTIVITY
    history = await history_of(durable.client, served.runs[0])
    assert activities_in(history) == [step, call, call, call, step, call, end, call, call, step, end]


@ONLY_NORMAL
async def test_hooks_of_parallel_tools_are_called_in_the_kernels_order_for_each_of_them(durable: Durable) -> None:
    lines = (calls(OTTER, ("broken", {}), ("nowhere", {}), SEAL), text("done"))
    ours, theirs = list[tuple[str, str]](), list[tuple[str, str]]()

    await durable(labelled(ours, lines, parallel_tools=True)).run("go")

    await labelled(theirs, lines, parallel_tools=True).run("go")
    assert Counter(ours) == Counter(theirs)
    for id_ in ("call_0", "call_1", "call_2", "call_3"):
        assert [each for each in ours if id_ in each[1]] == [each for each in theirs if id_ in each[1]]
    assert [each for each in ours if "call" not in each[1]] == [each for each in theirs if "call" not in each[1]]
