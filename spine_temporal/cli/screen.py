"""The terminal: answers go to stdout, everything else to stderr."""

import functools
import logging
import sys
import traceback
from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.text import Text

from spine_temporal.format import harmless

_PIPE_WIDTH: Final = 10_000


@functools.cache
def stdout() -> Console:
    """For what the user asked for. In a pipe, a line is as long as its text."""
    return Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


@functools.cache
def stderr() -> Console:
    """For what goes on meanwhile."""
    return Console(stderr=True, highlight=False, emoji=False)


def write(text: str) -> None:
    """`text` on stdout: in a pipe just as it is."""
    text = harmless(text) if sys.stdout.isatty() else text
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


def say(what: str, text: str, style: str) -> None:
    """A line on stderr that begins with `what` in that style."""
    stderr().print(Text.assemble((f"{what}: ", style), text), soft_wrap=True)


def note(text: str) -> None:
    """A line for whoever watches; nothing when nobody does."""
    if stderr().is_terminal:
        stderr().print(text, style="dim", markup=False, soft_wrap=True)


def facts(told: Iterable[tuple[str, str | Text]]) -> None:
    """Names with their values, in two columns on stdout."""
    told = list(told)
    width = max(len(name) for name, _ in told)
    for name, value in told:
        stdout().print(Text.assemble((f"  {name:<{width}}  ", "dim"), value), soft_wrap=True)


def show_log(*, ours: str = "WARNING") -> None:
    """Print logged warnings as `warning: ...` lines on stderr, and of ours what is at least of that level."""
    logging.basicConfig(level=logging.WARNING, handlers=[_Lines()], force=True)
    logging.getLogger("spine_temporal").setLevel(ours)


class _Lines(logging.Handler):
    """One line per record; what repeats itself is told once."""

    def __init__(self) -> None:
        super().__init__()
        self._last = ""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text == self._last:
            return
        self._last = text
        if record.levelno < logging.WARNING:
            stderr().print(text, markup=False, soft_wrap=True)
            return
        say(record.levelname.lower(), text, "yellow" if record.levelno == logging.WARNING else "bold red")
        if record.exc_info:
            stderr().print("".join(traceback.format_exception(record.exc_info[1])), markup=False, soft_wrap=True)
