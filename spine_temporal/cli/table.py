"""Rows printed in columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from spine_temporal.cli.screen import stdout

_GAP: Final = "  "


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of a fixed width, then a last one that is cut where the terminal ends.

    A terminal too narrow for them gets fewer columns, but at least the first `always` of them, whole: what stands
    there is there to be copied.
    """

    headings: Sequence[str]
    last: str
    always: int
    widest: int
    """Of the last column."""
    least: int = 0
    """Of the last column: with less room for it, it is left out; 0 never cuts it below its heading."""
    numbers: Sequence[str] = ()
    """Columns that are set to the right."""

    def show(self, rows: list[list[Text]]) -> None:
        """Print the rows, with the last column's text at the end of each."""
        *heads, said = [Text(heading, "dim") for heading in (*self.headings, self.last)]
        rows = [[*heads, said], *rows]
        widths = [max(row[column].cell_len for row in rows) + len(_GAP) for column in range(len(self.headings))]
        while sum(widths) > stdout().width and len(widths) > self.always:
            widths.pop()
        room = max(min(stdout().width - sum(widths), self.widest), self.least)
        for row in rows:
            self._line(row, widths, room)

    def _line(self, row: list[Text], widths: list[int], room: int) -> None:
        for cell, width, heading in zip(row, widths, self.headings, strict=False):
            cell.align("right" if heading in self.numbers else "left", width - len(_GAP))
        shown = row[-1]
        shown.truncate(room, overflow="ellipsis")
        line = Text(_GAP).join([*row[: len(widths)], shown] if room > len(self.last) else row[: len(widths)])
        line.rstrip()
        stdout().print(line, soft_wrap=True)
