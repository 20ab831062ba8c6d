"""Hooks around a call that another agent works on do what they do on the kernel."""

from typing import Any

import pytest
from spine_core import Agent, StopReason, StopRun, ToolContext

from tests.features.teams.crews import Boss, Raises, ask, boss_of, finder, tokens
from tests.features.teams.serving import ALL_MODES, Crew, children_of
from tests.features.teams.test_delegation import assert_as_on_the_kernel

pytestmark = [pytest.mark.durable, ALL_MODES]


class Skips:
    async def before_tool(self, ctx: ToolContext) -> None:
        ctx.skip, ctx.result = True, {"known": ["otters"]}


class Rewrites:
    async def before_tool(self, ctx: ToolContext) -> None:
        ctx.args["input"] = f"{ctx.args['input']}, please"

    async def after_tool(self, ctx: ToolContext) -> None:
        ctx.result = f"{ctx.result} ({ctx.args['input']})"


class Counts:
    async def before_tool(self, ctx: ToolContext) -> None:
        ctx.state.scratch.setdefault("before", []).append(ctx.call.name)

    async def after_tool(self, ctx: ToolContext) -> None:
        ctx.state.scratch.setdefault("after", []).append([ctx.result, type(ctx.error).__name__])


class Forbids:
    async def before_tool(self, ctx: ToolContext) -> None:
        raise StopRun(StopReason.GUARDRAIL, "nobody delegates here")


class Discards:
    async def after_tool(self, ctx: ToolContext) -> None:
        raise StopRun(StopReason.GUARDRAIL, f"not a word of: {ctx.result}")


@pytest.mark.parametrize(
    ("hooks", "asked", "answer"),
    [
        (Skips(), 0, '{"known": ["otters"]} | {"known": ["otters"]}'),
        (Rewrites(), 2, "found otters, please (otters, please) | found seals, please (seals, please)"),
        (Counts(), 2, "found otters | found seals"),
        (Forbids(), 0, "nobody delegates here"),
        (Discards(), 1, "not a word of: found otters"),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "__dict__") else None,
)
async def test_hooks_see_and_change_a_delegated_call(crew: Crew, hooks: Any, asked: int, answer: str) -> None:
    find = finder().as_tool(name="find")
    boss = boss_of(find, batches=[[ask("find")], [ask("find", "seals")]], middleware=[hooks])
    run = await (await crew.serve({"boss": boss})).start("go")

    result = await run.result()

    assert result.answer == answer
    assert len(await children_of(crew.client, run.workflow_id)) == asked
    assert_as_on_the_kernel(result, await boss.run("go"), below=tokens(asked))


async def test_hooks_see_what_each_of_several_children_at_once_gives_back(crew: Crew) -> None:
    batch = [ask("find"), ask("find", "seals"), ask("find", "whales")]
    boss = boss_of(finder().as_tool(name="find"), batches=[batch], middleware=[Rewrites()], parallel_tools=True)

    result = await (await crew.serve({"boss": boss})).run("go")

    theirs = await boss.run("go")
    assert result.answer == theirs.answer
    assert result.state.messages == theirs.state.messages
    assert result.usage == theirs.usage + tokens(3)


async def test_a_hook_is_told_that_a_child_stopped_in_an_error(crew: Crew) -> None:
    boss = Agent(Boss([ask("find")]), tools=[Agent(Raises()).as_tool(name="find")], middleware=[Counts()])

    result = await (await crew.serve({"boss": boss})).run("go")

    assert result.state.scratch["after"] == [["[sub-agent stopped: error]", "NoneType"]]
    assert_as_on_the_kernel(result, await boss.run("go"), below=tokens(0))
