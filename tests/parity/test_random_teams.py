"""For any scripts, supervisors and lines of agents end durably as on the kernel, and count what all have spent."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spine_core import Agent, Guards, Message, ModelResponse, Result, Usage
from spine_orchestration import Sequential, supervisor
from temporalio.client import Client

from tests.features.teams.serving import CACHED, CONTINUING, HARDLY_CACHED, Crew
from tests.parity.scripts import ACTS, TOOLS, TURNS, USAGE, Act, Actor, Script, Turn
from tests.support import soak
from tests.support.harness import Mode, assert_same, told

pytestmark = pytest.mark.durable


def examples(most: int) -> settings:
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=soak.examples(most), deadline=None, derandomize=True, suppress_health_check=checks)


_DELEGATIONS = st.sampled_from(
    [
        ("one", {"input": "otters"}),
        ("one", {"input": ""}),
        ("two", {"input": "seals"}),
        ("two", {"input": 5}),
        ("two", {}),
        ("three", {"input": "whales"}),
    ]
)
_BOSS_TURNS = st.builds(
    Turn,
    content=st.sampled_from([None, "thinking", "the answer"]),
    calls=st.lists(_DELEGATIONS, max_size=3).map(tuple),
    usage=USAGE,
)
# Of an agent below, the hooks around its calls: what else they may do is compared elsewhere.
_BOSS_ACTS = ACTS.filter(lambda act: act.hook in ("before_tool", "after_tool") and act.what not in ("spend", "timeout"))
_WORKER_TURNS = st.lists(TURNS, min_size=1, max_size=3).map(tuple)


class Counted(Script):
    """A script that counts what it has cost."""

    def __init__(self, turns: tuple[Turn, ...]) -> None:
        super().__init__(turns)
        self.spent = Usage()

    async def complete(self, messages: list[Message], tools: Any = None, **options: Any) -> ModelResponse:
        response = await super().complete(messages, tools, **options)
        self.spent = self.spent + response.usage
        return response


@dataclass(frozen=True)
class Office:
    """A supervisor with two workers."""

    boss: tuple[Turn, ...]
    one: tuple[Turn, ...]
    two: tuple[Turn, ...]
    acts: tuple[Act, ...] = ()
    max_steps: int | None = None

    def supervisor(self) -> tuple[Agent, list[Counted]]:
        """A new one, with the models of its workers."""
        models = [Counted(self.one), Counted(self.two)]
        workers = {
            name: Agent(model, tools=TOOLS, guards=Guards(max_steps=4))
            for name, model in zip(("one", "two"), models, strict=True)
        }
        hooks: dict[str, Any] = {"middleware": [Actor(self.acts)]} if self.acts else {}
        guards = Guards(max_steps=self.max_steps)
        return supervisor("", workers, provider=Script(self.boss), guards=guards, **hooks), models


OFFICES = st.builds(
    Office,
    boss=st.lists(_BOSS_TURNS, min_size=1, max_size=3).map(tuple),
    one=_WORKER_TURNS,
    two=_WORKER_TURNS,
    acts=st.one_of(st.just(()), st.lists(_BOSS_ACTS, max_size=3).map(tuple)),
    max_steps=st.sampled_from([None, 2, 12]),
)


@examples(10)
@given(office=OFFICES)
async def test_any_supervisor_ends_as_on_the_kernel(client: Client, office: Office) -> None:
    await assert_ends_as_on_the_kernel(client, CACHED, office)


@examples(6)
@given(office=OFFICES)
async def test_any_supervisor_on_a_worker_that_hardly_caches_ends_as_on_the_kernel(
    client: Client, office: Office
) -> None:
    await assert_ends_as_on_the_kernel(client, HARDLY_CACHED, office)


@examples(5)
@given(office=OFFICES)
async def test_any_supervisor_that_continues_at_every_boundary_ends_as_on_the_kernel(
    client: Client, office: Office
) -> None:
    await assert_ends_as_on_the_kernel(client, CONTINUING, office)


@pytest.mark.parametrize("mode", [CACHED, CONTINUING], ids=lambda mode: mode.name)
@examples(5)
@given(scripts=st.lists(_WORKER_TURNS, min_size=1, max_size=3))
async def test_any_line_of_agents_ends_as_on_the_kernel(
    client: Client, mode: Mode, scripts: list[tuple[Turn, ...]]
) -> None:
    def line() -> Sequential:
        return Sequential(*(Agent(Script(turns), tools=TOOLS) for turns in scripts))

    async with Crew(client, mode, replays=mode is CONTINUING) as crew:
        ours = await (await crew.serve({"line": line()}, "line")).run("count the otters")

    assert_same(ours, await line().run("count the otters"))


async def assert_ends_as_on_the_kernel(client: Client, mode: Mode, office: Office) -> None:
    boss, models = office.supervisor()
    theirs = await boss.run("count the otters")
    below = sum((model.spent for model in models), Usage())

    async with Crew(client, mode, replays=mode is CONTINUING) as crew:
        ours = await (await crew.serve({"boss": office.supervisor()[0]})).run("count the otters")

    assert_same_but_for_what_was_spent_below(ours, theirs, below)


def assert_same_but_for_what_was_spent_below(ours: Result, theirs: Result, below: Usage) -> None:
    counted: Any = {"trace": True, "usage": True, "state": {"session_id", "usage"}}
    assert ours.model_dump(mode="json", exclude=counted) == theirs.model_dump(mode="json", exclude=counted)
    assert ours.usage == ours.state.usage
    assert ours.usage.total_tokens == theirs.usage.total_tokens + below.total_tokens
    assert ours.usage.cost_usd == pytest.approx(theirs.usage.cost_usd + below.cost_usd)
    assert _uncounted(ours) == _uncounted(theirs)


def _uncounted(result: Result) -> list[object]:
    return [
        (type_, step, {key: value for key, value in data.items() if key not in ("cost_usd", "tokens")})
        for type_, step, data in told(result)
    ]
