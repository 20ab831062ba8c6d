"""Everything that was measured, raw."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.bench.cache_memory import CacheMemory
from tests.bench.fair import Fair
from tests.bench.large import Large
from tests.bench.long import Long
from tests.bench.peer_findings import PeerFindings
from tests.bench.plan import Plan
from tests.bench.running import Measured
from tests.bench.short_runs import ShortRuns
from tests.bench.side_by_side import SideBySide
from tests.bench.sides import Side
from tests.bench.starting import Starting
from tests.bench.streaming import Streamed
from tests.bench.waiting import Waited
from tests.bench.watching import Watched

type Pick = Callable[[Measured], float]


@dataclass(slots=True)
class Findings:
    """The runs of all repeats, with what was read back from the last of them."""

    plan: Plan
    runs: list[Measured] = field(default_factory=list)
    beside: list[SideBySide] = field(default_factory=list)
    """The nth of every side were taken one after the other."""
    at_once: list[tuple[Measured, Measured]] = field(default_factory=list)
    """A run of bare and one of ours of `plan.at` steps at the same time: what slows one down, slows both."""
    many_at_once: list[tuple[SideBySide, SideBySide]] = field(default_factory=list)
    """Half as many of each at the same time as are side by side otherwise."""
    replay_s: dict[Side, list[float]] = field(default_factory=lambda: {"bare": [], "ours": []})
    """Seconds per replay of the run of `plan.at` steps; the nth of both sides were taken one after the other."""
    fold_s: dict[int, list[float]] = field(default_factory=dict)
    """Seconds per fold, by steps."""
    memory_bytes: dict[Side, int] = field(default_factory=dict)
    steady: dict[str, int] = field(default_factory=dict)
    """What the cache of the worker of all those runs counted."""
    long: list[Long] = field(default_factory=list)
    """With an ordinary tool, with a local one."""
    cache_memory: list[CacheMemory] = field(default_factory=list)
    """One session, many sessions; empty: not measured."""
    short_runs: ShortRuns | None = None
    large: Large | None = None
    waited: Waited | None = None
    watched: list[Watched] = field(default_factory=list)
    """By one, by many."""
    streamed: list[Streamed] = field(default_factory=list)
    """An answer that was read along, by each way."""
    fair: Fair | None = None
    starting: Starting | None = None
    peers: PeerFindings | None = None
    takeover: dict[str, int] = field(default_factory=dict)
    """What the cache of a worker counted that started in the middle of a run."""

    def of(self, side: Side, steps: int) -> list[Measured]:
        """The runs of that side and length, in order: the nth of one side was taken next to the nth of the other."""
        return [run for run in self.runs if run.side == side and run.steps == steps]

    def per_step(self, side: Side, steps: int, pick: Pick) -> float:
        """The median of a figure, per step."""
        return statistics.median(pick(run) / steps for run in self.of(side, steps))

    def ratio(self, steps: int, pick: Pick, side: Side = "ours") -> float:
        """Ours to bare: the median of the ratios of neighbouring runs."""
        pairs = zip(self.of(side, steps), self.of("bare", steps), strict=True)
        return statistics.median(pick(ours) / pick(bare) for ours, bare in pairs)

    def drift(self, side: Side, pick: Pick) -> list[float]:
        """How a figure per step grew from the short to the long run, in each repeat."""
        short, long = self.plan.flat
        pairs = zip(self.of(side, short), self.of(side, long), strict=True)
        return [(pick(far) / long) / (pick(near) / short) for near, far in pairs]

    def beside_of(self, side: Side) -> list[SideBySide]:
        """The runs side by side of that side, in order."""
        return [each for each in self.beside if each.side == side]

    def beside_ratio(self, side: Side, pick: Callable[[SideBySide], float]) -> float:
        """That side to bare: the median of the ratios of neighbours."""
        pairs = zip(self.beside_of(side), self.beside_of("bare"), strict=True)
        return statistics.median(pick(each) / pick(bare) for each, bare in pairs)

    def worker_cpu_ratio(self) -> float:
        """Of a run of ours to one of bare at the same time: the median of the pairs."""
        return statistics.median(ours.worker_cpu_s / bare.worker_cpu_s for bare, ours in self.at_once)

    def many_worker_cpu_ratio(self) -> float:
        """The same of many runs of ours, and as many of bare."""
        return statistics.median(ours.worker_cpu_s / bare.worker_cpu_s for bare, ours in self.many_at_once)

    def replay_ratio(self) -> float:
        """Ours to bare: the median of the ratios of each pair of replays."""
        return statistics.median(
            ours / bare for ours, bare in zip(self.replay_s["ours"], self.replay_s["bare"], strict=True)
        )
