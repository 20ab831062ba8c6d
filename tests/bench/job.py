"""The job both sides do: N times a short message and a tool result of S bytes, then an answer."""

from typing import Final

MESSAGE: Final = "The model says two hundred bytes, as models do before they call a tool. ".ljust(200, ".")
RESULT_BYTES: Final = 4096


def result(size: int) -> str:
    """What the tool returns."""
    return "A line of what a tool found, forty byte\n".ljust(40)[:40] * (size // 40) + "." * (size % 40)
