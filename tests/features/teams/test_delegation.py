"""An agent that is another's tool works in a workflow of its own."""

from typing import Any

import pytest
from spine_core import Agent, Result, Usage
from spine_orchestration import supervisor
from temporalio.client import Client

from tests.features.teams.crews import Boss, Finds, ask, asking_leave, boss_of, finder, tokens
from tests.features.teams.serving import Crew, children_of
from tests.support.harness import told
from tests.support.subagents import run_below, workflow_below

pytestmark = pytest.mark.durable


def assert_as_on_the_kernel(ours: Result, theirs: Result, *, below: Usage) -> None:
    """Equal in everything but what the agents below have spent, which the kernel does not count."""
    counted: Any = {"trace": True, "usage": True, "state": {"session_id", "usage"}}
    assert ours.model_dump(mode="json", exclude=counted) == theirs.model_dump(mode="json", exclude=counted)
    assert ours.usage == ours.state.usage == theirs.usage + below
    assert _uncounted(ours) == _uncounted(theirs)
    assert [event.seq for event in ours.trace] == list(range(len(ours.trace)))


def _uncounted(result: Result) -> list[object]:
    unlike = {"cost_usd", "tokens"}
    return [
        (type_, step, {key: value for key, value in data.items() if key not in unlike})
        for type_, step, data in told(result)
    ]


async def test_an_agent_given_to_another_has_a_workflow_with_a_history_of_its_own(crew: Crew) -> None:
    researcher = finder("researcher")
    boss = boss_of(researcher.as_tool(), batches=[[ask("researcher")]])
    durable = await crew.serve({"boss": boss})
    run = await durable.start("go")

    result = await run.result()

    assert result.answer == "found otters"
    assert await children_of(crew.client, run.workflow_id) == [
        await workflow_below(crew.client, run.workflow_id, "1.0")
    ]
    child = durable.get_run(await run_below(crew.client, run, "1.0"))
    assert (await child.result()).answer == "found otters"
    assert [message.content for message in (await child.state()).messages] == ["otters", "found otters"]
    assert_as_on_the_kernel(result, await boss.run("go"), below=tokens(1))


async def test_a_child_is_a_run_of_the_agent_under_the_name_that_the_worker_has_it_by(crew: Crew) -> None:
    researcher = finder("anything")
    boss = boss_of(researcher.as_tool(name="research"), batches=[[ask("research")]])
    durable = await crew.serve({"boss": boss, "librarian": researcher})
    run = await durable.start("go")

    assert (await run.result()).answer == "found otters"
    assert await agent_of(crew.client, await workflow_below(crew.client, run.workflow_id, "1.0")) == "librarian"


async def test_a_child_that_is_merely_within_reach_is_named_after_its_boss_and_the_tool(crew: Crew) -> None:
    boss = boss_of(finder("anything").as_tool(name="research"), batches=[[ask("research")]])
    run = await (await crew.serve({"boss": boss})).start("go")

    assert (await run.result()).answer == "found otters"
    assert await agent_of(crew.client, await workflow_below(crew.client, run.workflow_id, "1.0")) == "boss/research"


async def test_spines_supervisor_delegates_as_on_the_kernel(crew: Crew) -> None:
    workers = {"find": finder(), "look": finder()}
    boss = supervisor("", workers, provider=Boss([ask("find"), ask("look", "seals")], [ask("find", "whales")]))

    result = await (await crew.serve({"boss": boss})).run("go")

    assert result.answer == "found otters | found seals | found whales"
    assert_as_on_the_kernel(result, await boss.run("go"), below=tokens(3))


async def test_agents_work_for_agents_that_work_for_agents(crew: Crew) -> None:
    third = boss_of(finder().as_tool(name="find"), batches=[[ask("find")]])
    second = boss_of(third.as_tool(name="third"), batches=[[ask("third")]])
    first = boss_of(second.as_tool(name="second"), batches=[[ask("second")]])
    run = await (await crew.serve({"boss": first})).start("go")

    result = await run.result()

    assert result.answer == "found otters"
    deepest = await workflow_below(crew.client, run.workflow_id, "1.0", "1.0", "1.0")
    assert await children_of(crew.client, await workflow_below(crew.client, run.workflow_id, "1.0", "1.0")) == [deepest]
    assert await agent_of(crew.client, deepest) == "boss/second/third/find"
    assert_as_on_the_kernel(result, await first.run("go"), below=tokens(5))


@pytest.mark.parametrize("parallel", [False, True], ids=["one_after_another", "side_by_side"])
async def test_one_agent_is_asked_several_times_in_a_step(crew: Crew, parallel: bool) -> None:
    wishes = [[ask("find"), ask("find", "seals"), ask("find", "whales")], [ask("find", "again")]]
    boss = boss_of(finder().as_tool(name="find"), batches=wishes, parallel_tools=parallel)
    run = await (await crew.serve({"boss": boss})).start("go")

    result = await run.result()

    assert result.answer == "found otters | found seals | found whales | found again"
    begun = [await workflow_below(crew.client, run.workflow_id, at) for at in ("1.0", "1.1", "1.2", "2.0")]
    assert sorted(await children_of(crew.client, run.workflow_id)) == begun
    theirs = await boss.run("go")
    assert result.usage == theirs.usage + tokens(4)
    assert result.state.messages == theirs.state.messages


async def test_an_agent_that_is_asked_nothing_has_a_workflow_all_the_same(crew: Crew) -> None:
    clerk = asking_leave().as_tool(name="clerk")
    durable = await crew.serve({"boss": boss_of(clerk, batches=[[("clerk", {"input": None})]])})
    run = await durable.start("go")

    assert (await run.result()).interrupt == {"tool": "pay", "arguments": {"amount": 5}}

    result = await durable.resume(run.id, "approve")
    assert (result.answer, result.usage) == ("paid 5", tokens(4))


async def test_a_boss_goes_on_to_its_next_turn_with_what_was_found(crew: Crew) -> None:
    boss = Agent(Boss([ask("find")], [ask("find", "seals")]), tools=[Agent(Finds()).as_tool(name="find")])
    durable = await crew.serve({"boss": boss})
    run = await durable.start("go")
    session = run.id

    assert (await run.result()).answer == "found otters | found seals"
    again = await durable.start("go on", session_id=session)
    assert (await again.result()).answer == "found otters | found seals"


async def agent_of(client: Client, workflow_id: str) -> str:
    """The name that a run's agent is known by."""
    described = await client.get_workflow_handle(workflow_id).describe()
    standing = await described.memo_value("spine")
    return str(standing["agent"])
