"""What is compared of the runs on other integrations: figures with their ratio to the bare workflow."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from tests.bench.peer_findings import PeerFindings, of_many, of_run
from tests.bench.peer_readings import REPLAY, START
from tests.bench.running import Measured
from tests.bench.side_by_side import SideBySide
from tests.bench.sides import Peer, Side

WALL: Final = "wall ms per step"
CPU: Final = "worker CPU ms per step"
BYTES: Final = "history bytes"
EVENTS: Final = "events"
THROUGHPUT: Final = "steps per second"
REQUESTS: Final = "requests per step"
REPLAY_MS: Final = "replay ms"
START_MS: Final = "start to first poll, ms"
MEMORY: Final = "peak memory MB"
WORKER: Final = "a worker"

_OF_RUNS: Final[dict[str, Callable[[Measured], float]]] = {
    WALL: lambda run: 1000 * run.wall_s / run.steps,
    CPU: lambda run: 1000 * run.worker_cpu_s / run.steps,
    BYTES: attrgetter("weight.history_bytes"),
    EVENTS: attrgetter("weight.events"),
}
_OF_MANY: Final[dict[str, Callable[[SideBySide], float]]] = {
    THROUGHPUT: lambda many: many.runs * many.steps / many.wall_s,
    CPU: lambda many: 1000 * many.worker_cpu_s / (many.runs * many.steps),
    REQUESTS: lambda many: sum(many.requests.values()) / (many.runs * many.steps),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one side, the median of its repeats."""

    what: str
    """What it is of: a job, by its name, or a worker."""
    name: str
    side: Side | Peer
    steps: int
    """0 for a worker."""
    size: int
    """Bytes of a tool's result."""
    runs: int
    """How many at once."""
    value: float | None
    """None when it was not measured."""
    ratio: float | None
    """To the bare workflow: the median of the ratios of neighbouring runs."""
    reason: str = ""
    """Why that side did not finish."""


def figures(found: PeerFindings) -> list[Figure]:
    """All of them; those of a job next to each other, therein those of a name."""
    return [*_of_runs(found), *_of_many(found), *_of_replays(found), *_of_workers(found)]


def _of_runs(found: PeerFindings) -> Iterator[Figure]:
    for steps, size in sorted({(run.steps, run.size) for run in found.runs}):
        of = {side: found.runs_of(side, steps, size) for side in found.sides}
        for name, pick in _OF_RUNS.items():
            values = {side: [pick(run) for run in runs] for side, runs in of.items()}
            yield from _figures(found, of_run(steps, size), name, values, (steps, size, 1))


def _of_many(found: PeerFindings) -> Iterator[Figure]:
    for runs, steps, size in sorted({(each.runs, each.steps, each.size) for each in found.beside}):
        for name, pick in _OF_MANY.items():
            values = {side: [pick(each) for each in found.beside_of(side)] for side in found.sides}
            yield from _figures(found, of_many(runs, steps, size), name, values, (steps, size, runs))


def _of_replays(found: PeerFindings) -> Iterator[Figure]:
    if found.replay_s:
        steps, size = found.replayed
        values = {side: [1000 * value for value in taken] for side, taken in found.replay_s.items()}
        yield from _figures(found, f"replay of {of_run(steps, size)}", REPLAY_MS, values, (steps, size, 1), REPLAY)


def _of_workers(found: PeerFindings) -> Iterator[Figure]:
    started = {side: [1000 * value for value in taken] for side, taken in found.start_s.items()}
    held = {side: [value / 1e6] for side, value in found.memory_bytes.items()}
    if started:
        yield from _figures(found, WORKER, START_MS, started, (0, 0, 1), START)
    if held:
        yield from _figures(found, WORKER, MEMORY, held, (0, 0, 1))


def _figures(
    found: PeerFindings,
    what: str,
    name: str,
    values: dict[Side | Peer, list[float]],
    job: tuple[int, int, int],
    failed_at: str = "",
) -> Iterator[Figure]:
    bare = values["bare"]
    for side in found.sides:
        own, reason = values.get(side, []), found.reason(side, failed_at or what)
        if reason or not own:
            yield Figure(what, name, side, *job, None, None, reason)
        else:
            ratio = statistics.median(mine / theirs for mine, theirs in zip(own, bare, strict=True))
            yield Figure(what, name, side, *job, statistics.median(own), ratio)
