"""A namespace that takes less than a stock one."""

from typing import Final

LIMIT: Final = 300_000
"""What its payloads hold, a seventh of a stock one's: what it states is what holds; small things are made quickly."""
