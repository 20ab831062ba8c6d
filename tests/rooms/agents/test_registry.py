"""The agents of a worker are found by name, or the error says which there are."""

import asyncio
from typing import Any

import pytest
from spine_core import Agent, Guards, State, StopReason
from spine_core.testing import ScriptedProvider, text

from spine_temporal.agents.registry import AgentRegistry
from spine_temporal.errors import AgentBroken, DuplicateAgent, UnknownAgent, UnnamedAgent


def an_agent(name: str | None = "assistant", **options: Any) -> Agent:
    return Agent(ScriptedProvider(text("done")), name=name, **options)


async def test_agents_are_found_by_their_own_names() -> None:
    first, second = an_agent("b"), an_agent("a")
    registry = AgentRegistry([first, second])

    assert registry.names == ["a", "b"]
    assert await registry.get("b") is first


async def test_key_goes_before_the_name() -> None:
    agent = an_agent("assistant")
    registry = AgentRegistry({"clerk": agent, "twin": agent})

    assert registry.names == ["clerk", "twin"]
    assert await registry.get("clerk") is agent


@pytest.mark.parametrize("name", [None, ""])
def test_agent_without_a_name_is_refused_with_its_place_in_the_list(name: str | None) -> None:
    with pytest.raises(UnnamedAgent, match=r"agent 1 of the list has no name; give it one with Agent\(..., name="):
        AgentRegistry([an_agent(), an_agent(name)])


def test_second_agent_of_a_name_is_refused() -> None:
    with pytest.raises(DuplicateAgent, match="two agents are named 'assistant'"):
        AgentRegistry([an_agent(), an_agent()])


def test_agent_under_an_empty_key_is_refused() -> None:
    with pytest.raises(UnnamedAgent):
        AgentRegistry({"": an_agent()})


@pytest.mark.parametrize(
    ("agents", "known"),
    [([], "none"), ([an_agent("b"), an_agent("a")], "a, b"), ({"made": an_agent, "a": an_agent()}, "a, made")],
)
async def test_unknown_agent_is_answered_with_the_ones_there_are(agents: Any, known: str) -> None:
    with pytest.raises(UnknownAgent, match=f"^no agent 'nobody'; this worker has: {known}$"):
        await AgentRegistry(agents).get("nobody")


async def test_factory_is_called_when_its_agent_is_first_needed() -> None:
    made: list[Agent] = []

    def factory() -> Agent:
        made.append(an_agent())
        return made[-1]

    registry = AgentRegistry({"assistant": factory})
    assert (registry.names, made) == (["assistant"], [])

    assert await registry.get("assistant") is await registry.get("assistant")
    assert len(made) == 1


async def test_factory_is_called_once_however_many_ask_at_the_same_time() -> None:
    made: list[Agent] = []
    may_build = asyncio.Event()

    async def factory() -> Agent:
        await may_build.wait()
        made.append(an_agent())
        return made[-1]

    registry = AgentRegistry({"assistant": factory})
    asked = [asyncio.create_task(registry.get("assistant")) for _ in range(5)]
    may_build.set()

    assert {id(agent) for agent in await asyncio.gather(*asked)} == {id(made[0])}
    assert len(made) == 1


async def test_factory_that_is_slow_holds_up_only_its_own_agent() -> None:
    never = asyncio.Event()

    async def slow() -> Agent:
        await never.wait()
        return an_agent()

    registry = AgentRegistry({"slow": slow, "quick": an_agent})
    waiting = asyncio.create_task(registry.get("slow"))

    assert (await registry.get("quick")).name == "assistant"
    waiting.cancel()


async def test_factory_that_raised_is_asked_again_the_next_time() -> None:
    agents = iter([an_agent()])
    down = [True]

    async def factory() -> Agent:
        if down.pop() if down else False:
            raise ConnectionError("no database")
        return next(agents)

    registry = AgentRegistry({"assistant": factory})

    with pytest.raises(AgentBroken, match="the factory of agent 'assistant' raised ConnectionError: no database"):
        await registry.get("assistant")
    assert (await registry.get("assistant")).name == "assistant"


@pytest.mark.parametrize("made", [None, "agent", Agent])
async def test_factory_that_makes_something_else_is_told_so(made: Any) -> None:
    with pytest.raises(AgentBroken, match=f"made a {type(made).__name__}, not a spine_core.Agent"):
        await AgentRegistry({"assistant": lambda: made}).get("assistant")


class OfficeHours(Guards):
    def check(self, state: State, elapsed_s: float) -> StopReason | None:
        return StopReason.TIMEOUT


class Generous(Guards):
    max_steps: int | None = 1000


async def test_agent_that_cannot_run_durably_is_refused() -> None:
    with pytest.raises(AgentBroken, match="agent 'assistant' has guards of class OfficeHours with a check"):
        AgentRegistry([an_agent(guards=OfficeHours())])
    with pytest.raises(AgentBroken, match="agent 'made' has guards of class OfficeHours with a check"):
        await AgentRegistry({"made": lambda: an_agent(guards=OfficeHours())}).get("made")


async def test_guards_with_limits_of_their_own_are_taken() -> None:
    agent = an_agent(guards=Generous())

    assert await AgentRegistry([agent]).get("assistant") is agent
