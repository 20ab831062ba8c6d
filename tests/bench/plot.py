"""Draws the comparison of a bench.json: `python -m tests.bench.plot JSON PNG`, where matplotlib is installed."""

import json
import sys
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

from tests.bench.sides import TITLES

_PANELS: Final = (
    ("wall ms per step", "Wall per step"),
    ("worker CPU ms per step", "Worker CPU per step"),
    ("history bytes", "History bytes"),
    ("events", "Events"),
    ("steps per second", "Throughput"),
)
_OURS: Final = ("#1b5fa8", "#8fb8e3")
_THEIRS: Final = ("#6b6b6b", "#bdbdbd")
_BARE: Final = ("#222222", "#222222")
_BAR: Final = 0.38


def main(source: Path, png: Path) -> None:
    """Write the figure."""
    compared: list[dict[str, Any]] = json.loads(source.read_text())["compared"]
    steps = max(each["steps"] for each in compared)
    sides: list[str] = [side for side in TITLES if any(each["side"] == side for each in compared)]
    figure, panels = plt.subplots(1, len(_PANELS), figsize=(16, 0.62 * len(sides) + 1.9), sharey=True)
    for axes, (name, title) in zip(panels, _PANELS, strict=True):
        named = [each for each in compared if each["name"] == name]
        of_runs = [each for each in named if each["steps"] == steps or each["runs"] > 1]
        _panel(axes, of_runs, sides)
        axes.set_title(title, fontsize=12, fontweight="bold", loc="left", pad=18)
        axes.text(0, 1.02, _said(of_runs), transform=axes.transAxes, fontsize=8.5, color="#555555")
    panels[0].set_yticks(range(len(sides)), [title for side, title in TITLES.items() if side in sides], fontsize=11)
    panels[0].invert_yaxis()
    figure.tight_layout(rect=(0, 0.05, 1, 1), w_pad=1.5)
    note = f"Ratio to a bare Temporal workflow that does the same job; the axes are logarithmic. {steps} steps, each"
    note += " with a message of 200 bytes and a tool result of"
    figure.text(0.01, 0.02, f"{note} 200 bytes (light) or 4,096 bytes (dark).", fontsize=9.5, color="#333333")
    figure.savefig(png, dpi=120)


def _panel(axes: Any, named: list[dict[str, Any]], sides: list[str]) -> None:
    sizes = sorted({each["size"] for each in named})
    known = [each["ratio"] for each in named if each["ratio"] is not None]
    low, high = min(0.8, *known) / 1.3, max(1.25, *known)
    axes.set_xscale("log")
    # Room for the number behind the longest bar.
    axes.set_xlim(low, high * (high / low) ** 0.35)
    axes.axvline(1, color="#222222", linewidth=1, zorder=0)
    for each in named:
        colors = _BARE if each["side"] == "bare" else _OURS if each["side"] in ("ours", "local") else _THEIRS
        large = each["size"] == max(sizes) and len(sizes) > 1
        place = sides.index(each["side"]) + (0 if len(sizes) == 1 else (_BAR / 2 if large else -_BAR / 2))
        if each["ratio"] is None:
            axes.text(1.03, place, "did not finish", va="center", fontsize=8.5, color="#b00020", style="italic")
            continue
        color = colors[0] if large or len(sizes) == 1 else colors[1]
        axes.barh(place, each["ratio"] - 1, left=1, height=_BAR, color=color)
        axes.text(max(each["ratio"], 1) * 1.03, place, _ratio(each["ratio"]), va="center", fontsize=9)
    axes.minorticks_off()
    axes.tick_params(axis="x", bottom=False, labelbottom=False)
    axes.tick_params(axis="y", length=0)
    for edge in ("top", "right", "bottom", "left"):
        axes.spines[edge].set_visible(False)


def _said(named: list[dict[str, Any]]) -> str:
    many = named[0]["runs"] if named else 1
    return f"{many} runs of {named[0]['steps']} steps at once; more is better" if many > 1 else "less is better"


def _ratio(ratio: float) -> str:
    return f"{ratio:.0f}x" if ratio >= 10 else f"{ratio:.2f}x"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
