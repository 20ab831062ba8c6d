"""How much text one tool result may hold."""

from collections.abc import Iterable

MAX_RESULT_BYTES = 16_000
MAX_LINE_CHARS = 240

# A result's own first line and what it says about the rest.
_FRAME_BYTES = 400


def bounded(lines: Iterable[str]) -> list[str]:
    """As many of the first lines as fit into one tool result."""
    kept: list[str] = []
    room_bytes = MAX_RESULT_BYTES - _FRAME_BYTES
    for line in lines:
        room_bytes -= len(line.encode()) + 1
        if room_bytes < 0:
            break
        kept.append(line)
    return kept


def cut(line: str) -> str:
    """The line, or its beginning and how many characters are missing."""
    if len(line) <= MAX_LINE_CHARS:
        return line
    return f"{line[:MAX_LINE_CHARS]} [cut: {len(line) - MAX_LINE_CHARS} more characters]"
