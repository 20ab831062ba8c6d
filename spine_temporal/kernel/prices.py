"""The tables by which spine's providers count what an answer cost."""

import sys
from typing import Any


def price_table_of(module: str) -> dict[str, Any] | None:
    """The prices by model of a provider that lives in that module; None: it keeps none, or another way."""
    table = getattr(sys.modules.get(module), "_PRICES", None)
    return table if isinstance(table, dict) else None
