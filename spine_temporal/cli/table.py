"""Rows printed in columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from spine_temporal.cli.terminal import stdout

_GAP: Final = "  "
_BREAKS: Final = str.maketrans("\n\t\u2028\u2029", "    ")


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of a fixed width, then a last one that is cut where the terminal ends.

    A terminal too narrow for them gets fewer columns, but those in `kept` whole: what stands there is there to be
    copied.
    """

    headings: Sequence[str]
    last: str
    kept: Sequence[str]
    widest: int | None
    """Of the last column; None: it is never cut."""
    least: int = 0
    """Of the last column: with less room for it, it stands on a line of its own. 0: with no room it is left out."""
    numbers: Sequence[str] = ()
    """Columns that are set to the right."""

    def print(self, rows: list[list[Text]]) -> None:
        """Print the rows, with the last column's text at the end of each."""
        heading = [Text(text, "dim") for text in (*self.headings, self.last)]
        rows = [heading, *([_one_line(cell) for cell in row] for row in rows)]
        widths = [max(row[column].cell_len for row in rows) + len(_GAP) for column in range(len(self.headings))]
        shown = self._shown(widths)
        room = stdout().width - sum(widths[column] for column in shown)
        below = room < self.least
        for row in rows:
            cells = [self._cell(row, column, widths[column]) for column in shown]
            last = row[-1]
            if below:
                _print_line(cells)
                if row is not heading:
                    _print_line([Text(""), self._cut(last, stdout().width - len(_GAP))])
            elif room >= len(self.last):
                _print_line([*cells, self._cut(last, room)])
            else:
                _print_line(cells)

    def _shown(self, widths: Sequence[int]) -> list[int]:
        shown = list(range(len(self.headings)))
        for column in reversed(range(len(self.headings))):
            too_wide = sum(widths[each] for each in shown) > stdout().width
            if too_wide and self.headings[column] not in self.kept:
                shown.remove(column)
        return shown

    def _cell(self, row: Sequence[Text], column: int, width: int) -> Text:
        cell = row[column].copy()
        cell.align("right" if self.headings[column] in self.numbers else "left", width - len(_GAP))
        return cell

    def _cut(self, text: Text, room: int) -> Text:
        if self.widest is not None:
            text.truncate(min(room, self.widest), overflow="ellipsis")
        return text


def _one_line(cell: Text) -> Text:
    # Ids may hold a line's end, or a tab: each is as wide as the space in its place.
    cell.plain = cell.plain.translate(_BREAKS)
    return cell


def _print_line(cells: Sequence[Text]) -> None:
    line = Text(_GAP).join(cells)
    line.rstrip()
    stdout().print(line, soft_wrap=True)
