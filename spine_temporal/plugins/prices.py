"""What an agent's cost is counted by: tables of prices, and what is known to cost nothing."""

import json
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any, Final

from spine_core import Agent

from spine_temporal.kernel.prices import price_table_of
from spine_temporal.plugins.deferred import DeferredProvider

COSTS_NOTHING: Final = "costs_nothing"
"""Attribute of a provider whose answers are free, so that a cost of 0 is known and not only not counted."""

_RATES: Final = ("input_per_mtok", "output_per_mtok")
_DIGEST_BYTES: Final = 4


def price_version(agent: Agent, modules: Iterable[str]) -> str:
    """The version of the prices that the agent's cost is counted by; empty: there are none.

    spine gives its tables no version, so this is a digest of what stands in them, such as `openai:1f2e3d4c`. The rates
    of a `CostTracking` stand there as they are. `modules` are those that the agent's parts are from.
    """
    tables = {module: price_table_of(module) for module in modules}
    versions = [f"{module.rpartition('.')[2]}:{_digest(table)}" for module, table in tables.items() if table]
    versions += [f"CostTracking:{'/'.join(f'{rate:g}' for rate in rates)}" for rates in _rates(agent)]
    return ", ".join(sorted(set(versions)))


def is_free(agent: Agent, provider: object) -> bool:
    """Whether an answer of that provider is known to cost nothing: it says so, or a rate of 0 was set for it."""
    if isinstance(provider, DeferredProvider):
        provider = provider.provider()
    return getattr(provider, COSTS_NOTHING, False) is True or (0, 0) in _rates(agent)


def _rates(agent: Agent) -> Iterator[tuple[float, float]]:
    for middleware in agent.chain.middlewares:
        rates: list[Any] = [getattr(middleware, name, None) for name in _RATES]
        if all(isinstance(rate, int | float) for rate in rates):
            yield rates[0], rates[1]


def _digest(table: dict[str, Any]) -> str:
    written = json.dumps(table, sort_keys=True, default=str)
    return blake2b(written.encode(errors="replace"), digest_size=_DIGEST_BYTES).hexdigest()
