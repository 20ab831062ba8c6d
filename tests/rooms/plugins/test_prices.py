"""By which prices an agent's cost is counted, and what is known to cost nothing."""

from typing import Any

import pytest
from spine_core import Agent
from spine_core.testing import ScriptedProvider, text
from spine_middleware import CostTracking
from spine_providers import openai

from spine_temporal.demo.offline import OfflineProvider
from spine_temporal.plugins.prices import is_free
from spine_temporal.plugins.usage import PRICES, serving


class Free:
    """Says so."""

    costs_nothing = True

    async def complete(self, *_: Any, **__: Any) -> Any:
        return text("done")


def agent_of(provider: Any, *middleware: Any) -> Agent:
    return Agent(provider, middleware=list(middleware), name="a")


def priced() -> Agent:
    return agent_of(openai.OpenAIProvider("gpt-4o", client=object()))


def test_the_version_of_a_table_is_what_stands_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = serving(priced())[PRICES]
    again = serving(priced())[PRICES]
    monkeypatch.setitem(openai._PRICES, "gpt-4o", (1.0, 2.0))
    after = serving(priced())[PRICES]

    assert before == again
    assert before.startswith("openai:")
    assert after != before


def test_rates_of_a_middleware_are_named() -> None:
    assert serving(agent_of(ScriptedProvider(text("x")), CostTracking(3, 15)))[PRICES] == "CostTracking:3/15"


def test_an_agent_without_prices_has_no_version_of_them() -> None:
    assert PRICES not in serving(agent_of(ScriptedProvider(text("x"))))


@pytest.mark.parametrize(
    ("agent", "free"),
    [
        (agent_of(Free()), True),
        (agent_of(OfflineProvider()), True),
        (agent_of(ScriptedProvider(text("x")), CostTracking(0, 0)), True),
        (agent_of(ScriptedProvider(text("x")), CostTracking(0, 15)), False),
        (agent_of(ScriptedProvider(text("x"))), False),
    ],
    ids=["says so", "the demo's", "rates of 0", "half a rate", "nobody says"],
)
def test_a_cost_of_nothing_is_one_that_somebody_names(agent: Agent, free: bool) -> None:
    assert is_free(agent, agent.provider) is free
