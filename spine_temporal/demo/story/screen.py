"""The terminal on which the story is told: lines that stay, below them what goes on now."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console, RenderableType
from rich.live import Live
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from spine_temporal.demo.story.activity_log import MODEL, Deed
from spine_temporal.demo.story.pending import Now
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
_STYLES: Final = ("cyan", "magenta")
_BLOW: Final = "bold white on red"


class Stage:
    """Prints the story. On a terminal its last line says what goes on now; elsewhere lines are only added."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, emoji=False)
        self.console.width = min(self.console.width, _WIDEST)
        self._zero_s = time.time()
        self.now = Now(_TIME)
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

    def deed(self, deed: Deed) -> None:
        """Print a line for a call that is done."""
        line = self._begin(deed.ended_s, deed.worker)
        if deed.name == MODEL:
            line.append(f"{deed.step:>{_STEP - 2}}  ", "bold")
        else:
            line.append(f"{'':{_STEP}}").append(f"{deed.name:<{_TOOL}}", "dim")
        if deed.attempt > 1:
            line.append(f"attempt {deed.attempt}  ", "bold yellow")
        room = self.console.width - _TOOK - line.cell_len
        line.append_text(Text(deed.outcome) if deed.name == MODEL else _tool(deed, room))
        line.truncate(self.console.width - _TOOK, overflow="ellipsis", pad=True)
        self.console.print(line.append(f"{duration(deed.ended_s - deed.began_s):>{_TOOK}}", "dim"), no_wrap=True)

    def event(self, worker: str, text: str, style: str = "") -> None:
        """Print a line for something else that happened now."""
        line = self._begin(time.time(), worker)
        self.console.print(line.append(text, style), no_wrap=True, overflow="ellipsis")

    def loud(self, text: str) -> None:
        """Print a line that cannot be overlooked."""
        bar = Text(f"{self._at(time.time())}{text}", _BLOW)
        if self.console.is_terminal:
            bar.truncate(self.console.width, overflow="ellipsis", pad=True)
        self.console.print(Padding(bar, (1, 0), expand=False))

    def answer(self, text: str) -> None:
        """Print the answer; where it can be drawn, as the Markdown that it is."""
        self.heading("The answer")
        self.indented(Markdown(text) if self.console.is_terminal and _is_markdown(text) else Text(text))

    def _begin(self, at_s: float, worker: str) -> Text:
        name = worker.partition(" ")[0]
        style = self._styles.setdefault(name, _STYLES[len(self._styles) % len(_STYLES)]) if name else ""
        return Text.assemble((self._at(at_s), "dim"), (f"{name:<{_WHO}}", style))

    def _at(self, at_s: float) -> str:
        return f"{at_s - self._zero_s:>{_TIME - 2}.1f}  "


def _tool(deed: Deed, room: int) -> Text:
    # Most results say what was asked: then there is no need to print it twice.
    if deed.arguments and deed.arguments[0] in deed.outcome:
        return Text(deed.outcome, "dim")
    asked, most = ", ".join(deed.arguments), max(round(room * _SHARE_OF_ARGUMENTS), 1)
    shown = asked if len(asked) <= most else f"{asked[: most - 1]}…"
    return Text.assemble(shown, (f"  {deed.outcome}", "dim"))


def _is_markdown(text: str) -> bool:
    return any(line.startswith(("- ", "* ", "#", "1. ", "```", "|")) for line in text.splitlines())
