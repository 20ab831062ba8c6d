"""Draws the comparison of a bench.json: `python -m tests.bench.plot JSON PNG`, where matplotlib is installed."""

import json
import sys
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt
from PIL import Image

from tests.bench.plot_panels import Panel, panels, ratio_text, sides
from tests.bench.sides import AGENTS, TITLES

_COLUMNS: Final = 3
# Dark, light: a large tool result, a small one.
_OURS: Final = ("#1b5fa8", "#8fb8e3")
_THEIRS: Final = ("#6b6b6b", "#bdbdbd")
_RED: Final = "#b00020"
_BAR: Final = 0.38
_NOTE: Final = (
    "Ratio to a bare Temporal workflow that does the same job, on logarithmic axes. A step is a message of 200 bytes "
    "with a tool call, and its result.\nTool results of 200 bytes (light) and 4,096 bytes (dark); of one size where "
    "there is one bar."
)


def main(source: Path, png: Path) -> None:
    """Write the figure."""
    compared: list[dict[str, Any]] = json.loads(source.read_text())["compared"]
    shown, who = panels(compared), sides(compared)
    if not shown:
        sys.exit(f"{source} compares nothing")
    rows = -(-len(shown) // _COLUMNS)
    height = rows * (0.36 * len(who) + 0.75) + 0.75
    figure, grid = plt.subplots(rows, _COLUMNS, figsize=(13, height), sharey=True, squeeze=False)
    for axes in grid.flat[len(shown) :]:
        axes.set_visible(False)
    for axes, panel in zip(grid.flat, shown, strict=False):
        _draw(axes, panel, who)
    for row in grid:
        row[0].set_yticks(range(len(who)), [TITLES[side] for side in who], fontsize=10)  # type: ignore[index]
    grid[0][0].invert_yaxis()
    figure.tight_layout(rect=(0, 0.75 / height, 1, 1), w_pad=1.5, h_pad=1.8)
    figure.text(0.01, 0.12 / height, _NOTE, fontsize=9, color="#333333", linespacing=1.4)
    figure.savefig(png, dpi=100)
    # A third of the bytes: there are few colours.
    with Image.open(png) as drawn:
        small = drawn.convert("RGB").quantize(48)
    small.save(png, optimize=True)


def _draw(axes: Any, panel: Panel, who: list[str]) -> None:
    sizes = panel.sizes
    known = [bar.ratio for bar in panel.bars if bar.ratio is not None]
    low, high = min(0.8, *known) / 1.3, max(1.25, *known)
    axes.set_xscale("log")
    # Room for the number behind the longest bar.
    axes.set_xlim(low, high * (high / low) ** 0.35)
    axes.axvline(1, color="#222222", linewidth=1, zorder=0)
    for bar in panel.bars:
        small = len(sizes) > 1 and bar.size == sizes[0]
        at = who.index(bar.side) + (0 if len(sizes) == 1 else -_BAR / 2 if small else _BAR / 2)
        if bar.ratio is None:
            axes.text(1.05, at, bar.shortfall, va="center", fontsize=8, color=_RED, style="italic")
            continue
        color = (_OURS if bar.side in AGENTS else _THEIRS)[small]
        axes.barh(at, bar.ratio - 1, left=1, height=_BAR, color=color)
        if bar.side != "bare":
            axes.text(max(bar.ratio, 1) * 1.03, at, ratio_text(bar.ratio), va="center", fontsize=8.5)
    axes.set_title(panel.title, fontsize=11, fontweight="bold", loc="left", pad=17)
    axes.text(0, 1.02, panel.note, transform=axes.transAxes, fontsize=8.5, color="#555555")
    axes.minorticks_off()
    axes.tick_params(axis="x", bottom=False, labelbottom=False)
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
