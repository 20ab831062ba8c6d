"""The terminal on which the story is shown: lines that stay, below them what goes on now."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console, RenderableType
from rich.live import Live
from rich.markdown import Markdown
from rich.padding import Padding
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from spine_temporal.demo.story.activity_log import MODEL, CompletedActivity
from spine_temporal.demo.story.progress_line import ProgressLine
from spine_temporal.format import duration

MARGIN: Final = 2
_WIDEST: Final = 120
_TIME, _WHO, _STEP, _TOOL, _TOOK = 7, 10, 4, 12, 8
_SHARE_OF_ARGUMENTS: Final = 0.5
_DRAWS_PER_S: Final = 8
_WHAT: Final = (
    "It reads source code to answer a question. In the middle of a step its worker is killed. Nothing was saved but "
    "the history of its workflow: another worker goes on from there, and no finished work is done again."
)
# With the proof below it, it all fits a screen of ordinary height.
_ANSWER_LINES: Final = 10
_STYLES: Final = ("cyan", "magenta")
_KILL_STYLE: Final = "bold white on red"


class Screen:
    """Prints the story. On a terminal its last line says what goes on now; elsewhere lines are only added."""

    def __init__(self) -> None:
        # Rich would take the colours away and leave bold and dim, which are escape sequences as well.
        colours = None if os.environ.get("NO_COLOR") else "auto"
        self.console = Console(highlight=False, emoji=False, color_system=colours)  # type: ignore[arg-type]
        self.console.width = min(self.console.width, _WIDEST)
        self._zero_s = time.time()
        self.now = ProgressLine(_TIME)
        self._styles: dict[str, str] = {}

    def title(self) -> None:
        """Print what is going to happen."""
        self.heading("An agent that outlives its worker")
        self.indented(_WHAT)
        self.console.print()

    def heading(self, text: str) -> None:
        """Print a line above what follows."""
        self.console.print(f"\n{'':{MARGIN}}[bold]{text}[/]\n")

    def indented(self, what: RenderableType) -> None:
        """Print something as it is, with margins."""
        self.console.print(Padding(what, (0, MARGIN), expand=False))

    def space(self) -> None:
        """Print an empty line."""
        self.console.print()

    def aside(self, text: str) -> None:
        """Print what is good to know, no more."""
        self.console.print(f"\n{'':{MARGIN}}[dim]{text}[/]")

    def fact(self, name: str, value: str) -> None:
        """Print a name with its value."""
        row = Table.grid(padding=(0, 2, 0, 0))
        row.add_column(style="dim", width=_TIME + 1)
        row.add_row(name, value)
        self.indented(row)

    def link(self, name: str, url: str) -> None:
        """Print a name with a link that is never broken over two lines."""
        line = Text.assemble((f"{'':{MARGIN}}{name:<{_TIME + 3}}", "dim"), (url, "underline"))
        self.console.print(line, soft_wrap=True)

    def begin(self) -> None:
        """From here on print times, of which this is zero."""
        self._zero_s = time.time()
        self.console.print()

    @contextmanager
    def live(self) -> Iterator[None]:
        """Show `now` while the body runs."""
        if self.console.is_terminal:
            with Live(self.now, console=self.console, refresh_per_second=_DRAWS_PER_S, transient=True):
                yield
        else:
            yield

    def activity(self, done: CompletedActivity) -> None:
        """Print a line for a call that is done."""
        line = self._begin(done.ended_s, done.worker)
        if done.name == MODEL:
            line.append(f"{done.step:>{_STEP - 2}}  ", "bold")
        else:
            line.append(f"{'':{_STEP}}").append(f"{done.name:<{_TOOL}}", "dim")
        if done.attempt > 1:
            line.append(f"attempt {done.attempt}  ", "bold yellow")
        room = self.console.width - _TOOK - line.cell_len
        line.append_text(Text(done.outcome) if done.name == MODEL else _tool(done, room))
        line.truncate(self.console.width - _TOOK, overflow="ellipsis", pad=True)
        # Of a local activity the history says only that it is over.
        took = duration(done.ended_s - done.began_s) if done.ended_s > done.began_s else "local"
        self.console.print(line.append(f"{took:>{_TOOK}}", "dim"), no_wrap=True)

    def event(self, worker: str, text: str, style: str = "") -> None:
        """Print a line for something else that happened now."""
        line = self._begin(time.time(), worker)
        self.console.print(line.append(text, style), no_wrap=True, overflow="ellipsis")

    def loud(self, text: str) -> None:
        """Print a line that cannot be overlooked."""
        bar = Text(f"{self._at(time.time())}{text}", _KILL_STYLE)
        if self.console.is_terminal:
            bar.truncate(self.console.width, overflow="ellipsis", pad=True)
        self.console.print(Padding(bar, (1, 0), expand=False))

    def answer(self, text: str, file: str) -> None:
        """Print the beginning of the answer, which is in `file` as a whole; where it can be drawn, as Markdown."""
        self.heading("The answer")
        what = Markdown(text) if self.console.is_terminal and _is_markdown(text) else Text(text)
        lines = self.console.render_lines(what, self.console.options.update_width(self.console.width - 2 * MARGIN))
        shown = lines if len(lines) <= _ANSWER_LINES + 1 else lines[:_ANSWER_LINES]
        self.indented(Segments([segment for line in shown for segment in (*line, Segment.line())]))
        if len(shown) < len(lines):
            self.aside(f"{len(lines) - len(shown)} more lines: {file}")

    def _begin(self, at_s: float, worker: str) -> Text:
        name = worker.partition(" ")[0]
        style = self._styles.setdefault(name, _STYLES[len(self._styles) % len(_STYLES)]) if name else ""
        return Text.assemble((self._at(at_s), "dim"), (f"{name:<{_WHO}}", style))

    def _at(self, at_s: float) -> str:
        return f"{at_s - self._zero_s:>{_TIME - 2}.1f}  "


def _tool(done: CompletedActivity, room: int) -> Text:
    # Most results say what was asked: then there is no need to print it twice.
    if done.arguments and done.arguments[0] in done.outcome:
        return Text(done.outcome, "dim")
    asked, most = ", ".join(done.arguments), max(round(room * _SHARE_OF_ARGUMENTS), 1)
    shown = asked if len(asked) <= most else f"{asked[: most - 1]}…"
    return Text.assemble(shown, (f"  {done.outcome}", "dim"))


def _is_markdown(text: str) -> bool:
    return any(line.startswith(("- ", "* ", "#", "1. ", "```", "|")) for line in text.splitlines())
