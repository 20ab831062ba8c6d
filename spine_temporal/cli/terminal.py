"""The terminal: answers go to stdout, everything else to stderr."""

import functools
import os
import sys
from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from spine_temporal.format import harmless

_PIPE_WIDTH: Final = 10_000
# What is copied as it stands must not be broken over lines by anybody but the terminal.
_COPIED: Final = ("`", "://")


@functools.cache
def stdout() -> Console:
    """For what the user asked for. In a pipe, a line is as long as its text."""
    return _console(stderr=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


@functools.cache
def stderr() -> Console:
    """For what goes on meanwhile."""
    return _console(stderr=True, width=None)


def write(text: str, *, flush: bool = False) -> None:
    """`text` on stdout: in a pipe just as it is."""
    text = harmless(text) if sys.stdout.isatty() else text
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    if flush:
        sys.stdout.flush()


def message(label: str, text: str, style: str) -> None:
    """A line on stderr that begins with `label` in that style."""
    stderr().print(Text.assemble((f"{label}: ", style), harmless(text)), soft_wrap=True)


def note(text: str) -> None:
    """A line for whoever watches; nothing when nobody does."""
    if stderr().is_terminal:
        stderr().print(harmless(text), style="dim", markup=False, soft_wrap=True)


def print_facts(facts: Iterable[tuple[str, str | Text]]) -> None:
    """Names with their values, in two columns on stdout; a terminal that is too narrow has the values wrapped."""
    facts = list(facts)
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        text = Text(value) if isinstance(value, str) else value
        text.plain = harmless(text.plain)
        if any(mark in text.plain for mark in _COPIED):
            stdout().print(Text.assemble((f"  {name:<{width}}  ", "dim"), text), soft_wrap=True)
            continue
        row = Table.grid(padding=(0, 0))
        row.add_column(width=width + 4, no_wrap=True)
        row.add_column(overflow="fold")
        row.add_row(Text(f"  {name:<{width}}  ", "dim"), text)
        stdout().print(row)


class _Console(Console):
    """Rich's, but for whoever reads stderr being gone: that ends nothing, the answer goes to stdout."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        if not self.stderr:
            super().on_broken_pipe()


def _console(*, stderr: bool, width: int | None) -> Console:
    # Rich would take the colours away and leave bold and dim, which are escape sequences as well.
    colours = None if os.environ.get("NO_COLOR") else "auto"
    return _Console(stderr=stderr, highlight=False, emoji=False, width=width, color_system=colours)  # type: ignore[arg-type]
