"""An adapter: it exposes what a calculator can do as tools of an agent."""

from typing import Any

from spine_core import Tool
from spine_core.tools import raw_tool

__all__ = ["Abacus"]

_TWO_NUMBERS = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
    "required": ["a", "b"],
}


class Abacus:
    """`tools()` are what it can do."""

    def tools(self) -> list[Tool]:
        return [
            raw_tool("plus", "Add two numbers.", _TWO_NUMBERS, self._plus),
            raw_tool("times", "Multiply two numbers.", _TWO_NUMBERS, self._times),
        ]

    async def _plus(self, a: int, b: int) -> Any:
        return a + b

    async def _times(self, a: int, b: int) -> Any:
        return a * b
