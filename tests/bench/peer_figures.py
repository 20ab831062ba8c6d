"""What is compared of the runs on other integrations: figures with their ratio to the bare workflow."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from tests.bench.peer_runs import PeerFindings
from tests.bench.running import Measured
from tests.bench.side_by_side import SideBySide
from tests.bench.sides import Peer, Side

WALL: Final = "wall ms per step"
CPU: Final = "worker CPU ms per step"
BYTES: Final = "history bytes"
EVENTS: Final = "events"
THROUGHPUT: Final = "steps per second"
CPU_BESIDE: Final = "worker CPU ms per step, side by side"

_OF_RUNS: Final[dict[str, Callable[[Measured], float]]] = {
    WALL: lambda run: 1000 * run.wall_s / run.steps,
    CPU: lambda run: 1000 * run.worker_cpu_s / run.steps,
    BYTES: attrgetter("weight.history_bytes"),
    EVENTS: attrgetter("weight.events"),
}
_OF_MANY: Final[dict[str, Callable[[SideBySide], float]]] = {
    THROUGHPUT: lambda many: many.runs * many.steps / many.wall_s,
    CPU_BESIDE: lambda many: 1000 * many.worker_cpu_s / (many.runs * many.steps),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one side, the median of its repeats."""

    name: str
    side: Side | Peer
    runs: int
    """How many at once."""
    steps: int
    size: int
    """Bytes of a tool's result."""
    value: float | None
    """None when that side did not finish."""
    ratio: float | None
    """To the bare workflow: the median of the ratios of neighbouring runs."""
    reason: str = ""
    """Why it did not finish."""


def figures(found: PeerFindings) -> list[Figure]:
    """All of them, the figures of a side next to each other."""
    jobs = dict.fromkeys((run.steps, run.size) for run in found.runs)
    return [
        *(_of_run(found, name, side, job) for job in jobs for side in found.sides for name in _OF_RUNS),
        *(_of_many(found, name, side) for side in found.sides for name in _OF_MANY if found.beside_of(side)),
    ]


def _of_run(found: PeerFindings, name: str, side: Side | Peer, job: tuple[int, int]) -> Figure:
    steps, size = job
    reason = found.reason(side, steps, size)
    values, bare = ([_OF_RUNS[name](run) for run in found.runs_of(each, steps, size)] for each in (side, "bare"))
    if reason or not values:
        return Figure(name, side, 1, steps, size, None, None, reason)
    return Figure(name, side, 1, steps, size, statistics.median(values), _ratio(values, bare))


def _of_many(found: PeerFindings, name: str, side: Side | Peer) -> Figure:
    values, bare = ([_OF_MANY[name](many) for many in found.beside_of(each)] for each in (side, "bare"))
    of = found.beside_of(side)[0]
    return Figure(name, side, of.runs, of.steps, of.size, statistics.median(values), _ratio(values, bare))


def _ratio(values: list[float], bare: list[float]) -> float:
    return statistics.median(value / base for value, base in zip(values, bare, strict=True))
