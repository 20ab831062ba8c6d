"""A run followed on the terminal while it goes on."""

import time
from collections.abc import AsyncIterator
from typing import Final

from rich.console import Console
from rich.status import Status
from rich.text import Text
from spine_core import TraceEvent

from spine_temporal.cli.trace_lines import Line, TraceLines
from spine_temporal.format import duration, harmless

_WIDEST: Final = 110
_WIDEST_IN_PIPE: Final = 300
_TOOK: Final = 12
# What was asked, of the room that it shares with what came of it.
_SHARE_OF_WHAT: Final = 0.5


async def follow(events: AsyncIterator[TraceEvent], console: Console) -> None:
    """Print a line for each thing that the run finished; below them stands what it is doing now."""
    lines, painter, now = TraceLines(), LinePainter(console), Now()
    now.doing(lines.doing)
    with Status(now, console=console, spinner_style="cyan"):
        async for event in events:
            line = lines.add(event)
            now.doing(lines.doing)
            if line is not None:
                console.print(painter.paint(line), soft_wrap=True)


class LinePainter:
    """Lines in columns: the step, what was done with what outcome, how long it took."""

    def __init__(self, console: Console) -> None:
        self._columns = console.is_terminal
        self._width = min(console.width, _WIDEST) if console.is_terminal else _WIDEST_IN_PIPE
        self._step: int | None = None

    def paint(self, line: Line) -> Text:
        """One line as it is printed; a step's number stands before its first line only."""
        number = "" if line.step == self._step else str(line.step)
        self._step = line.step
        tool = "(" in line.what
        what = Text(harmless(line.what), "cyan" if tool else "bold")
        if line.outcome:
            what.truncate(round(self._width * _SHARE_OF_WHAT), overflow="ellipsis")
        outcome = (line.outcome, "red" if line.bad else "dim" if tool else "")
        text = Text.assemble((f"{number:>3}  ", "dim"), what, (" → " if tool else "  ", "dim"), outcome)
        text.truncate(self._width - _TOOK, overflow="ellipsis", pad=self._columns)
        took = "" if line.took_s is None else duration(line.took_s)
        return text.append(f"{took:>{_TOOK}}" if self._columns else f"  {took}", "dim")


class Now:
    """What is in flight with the time it has taken; it is drawn anew several times a second."""

    def __init__(self) -> None:
        self._doing = ""
        self._since_s = time.monotonic()

    def doing(self, what: str) -> None:
        """What is in flight from now on."""
        if what != self._doing:
            self._doing, self._since_s = what, time.monotonic()

    def __rich__(self) -> Text:
        took = duration(time.monotonic() - self._since_s)
        return Text(f"{self._doing}  {took}", style="dim", overflow="ellipsis", no_wrap=True)
