"""What goes on now, in a line that ticks while nothing happens."""

import time

from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.spinner import Spinner
from rich.text import Text

from spine_temporal.format import duration


class ProgressLine:
    """Drawn anew several times a second; empty until it has something to show."""

    def __init__(self, indent: int) -> None:
        self._indent = indent
        self._text, self._since_s, self._style = "", 0.0, ""
        self._spinner = Spinner("dots")

    def show(self, text: str, since_s: float, style: str = "dim") -> None:
        """From now on it says `text` with the time since then (Unix time)."""
        self._text, self._since_s, self._style = text, since_s, style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The line as it is now."""
        if self._text:
            took = duration(max(time.time() - self._since_s, 0.0))
            room = options.max_width - self._indent - 2
            text = Text(self._text, self._style, no_wrap=True)
            text.truncate(room - len(took) - 3, overflow="ellipsis")
            self._spinner.update(text=text.append(f" · {took}"), style=self._style)
            yield Padding(self._spinner, (0, 0, 0, self._indent - 2), expand=False)
