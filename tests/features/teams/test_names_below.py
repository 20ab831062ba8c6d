"""Which agent a name below another stands for; what a call that is no task for an agent gives."""

from typing import Any

import pytest
from spine_core import Agent, ToolContext

from spine_temporal.agents.registry import AgentRegistry
from spine_temporal.errors import DuplicateAgent
from tests.features.teams.crews import Boss, Call, Finds, ask, boss_of, finder, tokens
from tests.features.teams.serving import ONE_MODE, Crew, children_of
from tests.features.teams.test_delegation import agent_of, assert_as_on_the_kernel
from tests.support.subagents import workflow_below

pytestmark = [pytest.mark.durable, ONE_MODE]


@pytest.mark.parametrize(
    "arguments",
    [{}, {"input": 5}, {"input": "otters", "how": "well"}, {"question": "otters"}],
    ids=str,
)
async def test_arguments_that_are_no_task_give_the_kernels_text(crew: Crew, arguments: dict[str, Any]) -> None:
    call: Call = ("find", arguments)
    boss = boss_of(finder().as_tool(name="find"), batches=[[call]])
    run = await (await crew.serve({"boss": boss})).start("go")

    result = await run.result()

    assert_as_on_the_kernel(result, await boss.run("go"), below=tokens(0))
    assert await children_of(crew.client, run.workflow_id) == []


async def test_an_empty_text_is_a_task(crew: Crew) -> None:
    boss = boss_of(finder().as_tool(name="find"), batches=[[ask("find", "")]])

    result = await (await crew.serve({"boss": boss})).run("go")

    assert_as_on_the_kernel(result, await boss.run("go"), below=tokens(1))


async def test_tools_of_one_name_under_two_bosses_are_two_agents(crew: Crew) -> None:
    def boss(says: str) -> Agent:
        class Says(Finds):
            async def complete(self, messages: Any, tools: Any = None, **_: Any) -> Any:
                response = await super().complete(messages, tools)
                response.message.content = f"{says} {response.message.content}"
                return response

        return boss_of(Agent(Says()).as_tool(name="find"), batches=[[ask("find")]])

    durable = await crew.serve({"one": boss("one"), "two": boss("two")}, "one")

    assert (await durable.run("go")).answer == "one found otters"
    assert (await durable.other("two").run("go")).answer == "two found otters"


async def test_names_may_have_slashes(crew: Crew) -> None:
    second = boss_of(finder("team/finder").as_tool(), batches=[[ask("team/finder")]], name="team/second")
    boss = boss_of(second.as_tool(), batches=[[ask("team/second")]])
    run = await (await crew.serve({"team/boss": boss}, "team/boss")).start("go")

    assert (await run.result()).answer == "found otters"
    deepest = await workflow_below(crew.client, run.workflow_id, "1.0", "1.0")
    assert await agent_of(crew.client, deepest) == "team/boss/team/second/team/finder"


async def test_a_name_that_stands_for_an_agent_below_is_not_given_to_another(crew: Crew) -> None:
    boss = boss_of(finder().as_tool(name="find"), batches=[[ask("find")]])

    with pytest.raises(DuplicateAgent, match="'boss/find' is the name of the agent that tool 'find' of 'boss' runs"):
        AgentRegistry({"boss": boss, "boss/find": finder()})


async def test_an_agent_may_be_given_the_name_that_it_has_below_another(crew: Crew) -> None:
    find = finder()
    boss = boss_of(find.as_tool(name="find"), batches=[[ask("find")]])

    assert (await (await crew.serve({"boss": boss, "boss/find": find})).run("go")).answer == "found otters"


async def test_a_model_is_told_that_the_agent_is_gone_when_its_tool_was_renamed_meanwhile(crew: Crew) -> None:
    boss = Agent(Boss([ask("find")]), tools=[finder().as_tool(name="find")])

    class Renames:
        async def before_tool(self, ctx: ToolContext) -> None:
            boss.tools["search"] = boss.tools.pop("find")

    boss.chain.middlewares.append(Renames())

    result = await (await crew.serve({"boss": boss})).run("go")

    assert result.answer == "Error executing tool 'find': no agent 'boss/find'; this worker has: boss"
