"""A run followed on the terminal, with what the model writes as it writes it."""

import sys
from collections.abc import AsyncIterator
from typing import Final

from rich.console import Console
from rich.status import Status
from spine_core import EventType, TraceEvent

from spine_temporal.cli.follow import LinePainter, Now
from spine_temporal.cli.trace_lines import TraceLines
from spine_temporal.format import harmless

_ANEW: Final = "(an attempt failed; it is written anew)"


class StreamPrinter:
    """Prints texts on stdout while they are written, and on `lines` a line for each other thing that is done.

    What has been printed cannot be taken back: a text that begins anew stands below the one it replaces.
    """

    def __init__(self, lines: Console | None) -> None:
        self.shown = ""
        """The text of the last step, as far as it was written on the way."""
        self._lines = lines
        self._traced = TraceLines()
        self._now = Now()
        self._painter = LinePainter(lines) if lines is not None else None
        self._status = Status(self._now, console=lines, spinner_style="cyan") if lines is not None else None
        self._within_line = False

    async def print(self, events: AsyncIterator[TraceEvent]) -> None:
        """Print them all."""
        self._wait()
        try:
            async for event in events:
                self._print(event)
        finally:
            self._end_line()
            self._stop_waiting()

    def _print(self, event: TraceEvent) -> None:
        line = self._traced.add(event)
        self._now.doing(self._traced.doing)
        if event.type == EventType.STEP_START:
            self.shown = ""
        elif event.type == EventType.TOKEN:
            self._write(str(event.data.get("delta", "")), anew="replaces" in event.data)
            return
        elif event.type == EventType.MODEL_RESPONSE and self.shown:
            # Its text stands there already.
            line = None
        self._end_line()
        if line is not None and self._lines is not None and self._painter is not None:
            self._lines.print(self._painter.paint(line), soft_wrap=True)
        self._wait()

    def _write(self, delta: str, *, anew: bool) -> None:
        self._stop_waiting()
        if anew:
            self._end_line()
            if self.shown and self._lines is not None:
                self._lines.print(_ANEW, style="dim")
            self.shown = ""
        self.shown += delta
        self._within_line = bool(delta) and not delta.endswith("\n")
        sys.stdout.write(harmless(delta) if sys.stdout.isatty() else delta)
        sys.stdout.flush()

    def _end_line(self) -> None:
        if self._within_line:
            sys.stdout.write("\n")
            sys.stdout.flush()
            self._within_line = False

    def _wait(self) -> None:
        if self._status is not None and not self._within_line:
            self._status.start()

    def _stop_waiting(self) -> None:
        if self._status is not None:
            self._status.stop()
