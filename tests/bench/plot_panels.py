"""What the plot shows, prepared from the figures of a bench.json; no matplotlib here."""

from dataclasses import dataclass
from typing import Any, Final

from tests.bench.shortfall import shortfall
from tests.bench.sides import TITLES

# Names of figures; whether of many runs at once, of one run, of neither (None: any).
_PANELS: Final[tuple[tuple[str, str, bool], ...]] = (
    ("History bytes", "history bytes", False),
    ("Events", "events", False),
    ("Requests to the server", "requests per step", True),
    ("Wall per step", "wall ms per step", False),
    ("Worker CPU per step", "worker CPU ms per step", False),
    ("Throughput", "steps per second", True),
    ("Replay", "replay ms", False),
    ("Start of a worker", "start to first poll, ms", False),
    ("Peak memory of a worker", "peak memory MB", False),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A side's ratio to bare, or why it has none."""

    side: str
    size: int
    ratio: float | None
    shortfall: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One figure of all sides."""

    title: str
    note: str
    bars: tuple[Bar, ...]

    @property
    def sizes(self) -> list[int]:
        """Of the tool results, sorted."""
        return sorted({bar.size for bar in self.bars})


def sides(compared: list[dict[str, Any]]) -> list[str]:
    """Who has figures, in the order of the titles."""
    known = {each["side"] for each in compared}
    return [side for side in TITLES if side in known]


def panels(compared: list[dict[str, Any]]) -> list[Panel]:
    """A panel for each figure that anyone has, at the greatest length."""
    made = (_panel(compared, title, name, many) for title, name, many in _PANELS)
    return [panel for panel in made if panel is not None]


def ratio_text(ratio: float) -> str:
    """A ratio as a bar is labelled with it."""
    return f"{ratio:.0f}x" if ratio >= 10 else f"{ratio:.2f}x"


def _panel(compared: list[dict[str, Any]], title: str, name: str, many: bool) -> Panel | None:
    named = [each for each in compared if each["name"] == name and (each["runs"] > 1) == many]
    longest = max((each["steps"] for each in named), default=0)
    # A side that was not measured has neither a ratio nor a reason; it has no bar.
    shown = [each for each in named if each["steps"] == longest and (each["ratio"] is not None or each["reason"])]
    if all(each["ratio"] is None for each in shown):
        return None
    bars = tuple(_bar(each) for each in shown)
    return Panel(title, _note(name, shown[0]), bars)


def _bar(each: dict[str, Any]) -> Bar:
    missing = shortfall(each["reason"]) if each["ratio"] is None else ""
    return Bar(each["side"], each["size"], each["ratio"], missing)


def _note(name: str, shown: dict[str, Any]) -> str:
    better = "more is better" if name == "steps per second" else "less is better"
    if shown["runs"] > 1:
        return f"{shown['runs']} runs of {shown['steps']} steps at once; {better}"
    return f"{shown['steps']} steps; {better}" if shown["steps"] else better
