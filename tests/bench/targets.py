"""What a run may cost."""

import math
import statistics
from dataclasses import dataclass
from operator import attrgetter

from tests.bench.findings import Findings, Pick
from tests.bench.streaming import of_way


@dataclass(frozen=True, slots=True)
class Target:
    """A figure with its limit."""

    name: str
    measured: float
    limit: float
    unit: str
    least: float = 0.0

    @property
    def met(self) -> bool:
        """It is within its limits."""
        return self.least <= self.measured <= self.limit


def history_bytes(run: object) -> float:
    """A Pick: bytes of history."""
    return float(attrgetter("weight.history_bytes")(run))


def events(run: object) -> float:
    """A Pick: events in the history."""
    return float(attrgetter("weight.events")(run))


def targets(found: Findings) -> list[Target]:
    """All targets, measured; none when only others were."""
    plan = found.plan
    if not plan.ours:
        return []
    at, (short, long) = plan.at, plan.flat
    pairs = zip(found.of("ours", at), found.of("bare", at), strict=True)
    more_events = statistics.median(ours.weight.events - bare.weight.events for ours, bare in pairs)
    largest_input = max(run.weight.peak_input_bytes for run in found.runs if run.side == "ours")
    wall: Pick = attrgetter("wall_s")
    cpu: Pick = attrgetter("worker_cpu_s")
    span = f"{long} steps to {short}"
    return [
        Target(f"history bytes, {at} steps", found.ratio(at, history_bytes), 1.15, "x bare"),
        Target(f"events beyond bare, {at} steps", more_events, 12, "events"),
        Target("largest activity input", largest_input, 2048, "bytes"),
        Target(f"growth of bytes per step, {span}", _median(found.drift("ours", history_bytes)), 1.02, "x"),
        Target(f"growth of events per step, {span}", _median(found.drift("ours", events)), 1.02, "x"),
        Target(f"wall per step, {at} steps", found.ratio(at, wall), 1.05, "x bare"),
        Target(f"worker CPU per step, {at} steps", found.worker_cpu_ratio(), 1.05, "x bare's at the same time"),
        Target(f"wall per step, {at} steps, local tool", found.ratio(at, wall, "local"), 0.65, "x bare"),
        Target(f"events per step, {at} steps, local tool", found.per_step("local", at, events), 7.5, "events"),
        Target(f"growth of wall per step, {span}", _growth(found, wall), 1.25, "x bare's"),
        Target(f"growth of worker CPU per step, {span}", _growth(found, cpu), 1.25, "x bare's"),
        Target(f"replay, {at} steps", found.replay_ratio(), 1.1, "x bare"),
        *_side_by_side(found),
        *_shared(found),
        Target(f"a step behind {plan.queued:,} runs of another tenant", _fairness(found), 2, "x alone"),
        *_starting(found),
        *_long(found),
        *_memory(found),
        Target("idle CPU of a worker with all sessions waiting", _idle_cpu(found), 6, "s a minute"),
        Target("folds by a worker new to a run", found.takeover["folds"], 1, "folds", least=1),
    ]


def _side_by_side(found: Findings) -> list[Target]:
    what, ours = "{} x {} steps side by side".format(*found.plan.beside), found.beside_of("ours")
    throughput = 1 / found.beside_ratio("ours", attrgetter("wall_s"))
    local = 1 / found.beside_ratio("local", attrgetter("wall_s"))
    return [
        Target(f"throughput, {what}", throughput, float("inf"), "x bare", least=0.95),
        Target(f"throughput, {what}, local tool", local, float("inf"), "x bare", least=1.4),
        Target(f"worker CPU, {what}", found.many_worker_cpu_ratio(), 1.1, "x bare's at the same time"),
        Target("requests to read a waited run", _median([each.reading_per_run for each in ours]), 12, "requests"),
        Target("an end is known after", _median([1000 * each.lag_s for each in ours]), 50, "ms"),
    ]


def _shared(found: Findings) -> list[Target]:
    one, many = (watched.requests for watched in found.watched)
    ours, alone = (of_way(found.streamed, way) for way in ("heartbeats", "not read along"))
    return [
        Target(f"requests for {found.plan.watchers} watchers of a run", many / one, 1.5, "x one watcher's"),
        Target("a token is read after", 1000 * ours.lag_s, 100, "ms"),
        Target("events of an answer that is read along", ours.events - alone.events, 0, "more"),
    ]


def _starting(found: Findings) -> list[Target]:
    starting = found.starting
    if starting is None:
        return []
    return [
        Target("first poll of a new worker", starting.ratio("bare"), 1.4, "x bare"),
        Target("import of a client's names", 1000 * statistics.median(starting.import_client_s), 30, "ms"),
        Target("spine-temporal --help", statistics.median(starting.help_s), 0.4, "s"),
    ]


def _long(found: Findings) -> list[Target]:
    ordinary, local = found.long
    equal = float(ordinary.equal and local.equal)
    return [
        Target("the long runs equal the kernel's", equal, 1, "", least=1),
        Target(f"wall of the last of {ordinary.steps:,} steps", ordinary.growth, 1.15, "x first ones beside"),
        Target(f"wall of the last of {local.steps:,} steps, local tool", local.growth, 1.15, "x first ones beside"),
    ]


def _memory(found: Findings) -> list[Target]:
    judged: list[Target] = []
    for held in found.cache_memory:
        # One conversation that is larger than the cache is not kept in it: there is no least.
        least = 0.7 if held.sessions > 1 else -math.inf
        judged.append(Target(f"memory of the cache, {held.what}", held.share, 1.3, "x cache_bytes", least=least))
    if found.short_runs is not None:
        short = found.short_runs
        judged.append(Target(f"memory after {short.runs:,} runs", short.growth, 1.1, f"x after {short.first:,}"))
    return judged


def _idle_cpu(found: Findings) -> float:
    return found.waited.idle_cpu_s_per_minute if found.waited is not None else float("inf")


def _fairness(found: Findings) -> float:
    return found.fair.ratio if found.fair is not None else float("inf")


def _growth(found: Findings, pick: Pick) -> float:
    return _median(
        [ours / bare for ours, bare in zip(found.drift("ours", pick), found.drift("bare", pick), strict=True)]
    )


def _median(values: list[float]) -> float:
    return statistics.median(values)
