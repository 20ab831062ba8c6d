"""The tables of prices of spine's providers: this fails when they keep them otherwise."""

import importlib

import pytest

from spine_temporal.kernel.prices import price_table_of


@pytest.mark.parametrize(("module", "model"), [("openai", "gpt-4o"), ("anthropic", "claude")])
def test_a_provider_keeps_prices_by_model(module: str, model: str) -> None:
    importlib.import_module(f"spine_providers.{module}")

    table = price_table_of(f"spine_providers.{module}")

    assert table
    assert any(name.startswith(model) for name in table)
    assert all(len(price) == 2 for price in table.values())


def test_a_module_without_prices_has_none() -> None:
    assert price_table_of("spine_core.testing") is None
    assert price_table_of("no.such.module") is None
