"""The benchmark's tables, with the same as JSON."""

import dataclasses
import math
import statistics
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from tests.bench.findings import Findings, Pick
from tests.bench.peer_figures import figures
from tests.bench.peer_tables import peer_tables
from tests.bench.report_memory import memory
from tests.bench.side_by_side import SideBySide
from tests.bench.sides import Side
from tests.bench.targets import Target, events, history_bytes

_MS = 1000.0
_BESIDE: Final[tuple[Side, ...]] = ("bare", "ours", "bare_local", "local")
_LOCAL: Final[dict[Side, str]] = {"bare_local": "bare, local activity", "local": "ours, local tool"}
_STARTED = {"bare": "bare", "kernel": "bare with the kernel imported", "ours": "ours"}
_FIGURES: tuple[tuple[str, Pick, float], ...] = (
    ("wall ms", attrgetter("wall_s"), _MS),
    ("worker CPU ms", attrgetter("worker_cpu_s"), _MS),
    ("server CPU ms", attrgetter("server_cpu_s"), _MS),
    ("client CPU ms", attrgetter("client_cpu_s"), _MS),
    ("bytes", history_bytes, 1.0),
    ("events", events, 1.0),
)


def show(console: Console, found: Findings, targets: list[Target]) -> None:
    """Print what was measured, what it was measured against."""
    if found.plan.ours:
        console.print(_verdicts(targets), _per_step(found), _beside(found), memory(found), _readings(found))
    if found.peers is not None:
        console.print(peer_tables(found.peers))


def as_json(found: Findings, targets: list[Target]) -> dict[str, Any]:
    """All of it, for machines."""
    judged = [
        {
            **dataclasses.asdict(target),
            "limit": target.limit if math.isfinite(target.limit) else None,
            "least": target.least if math.isfinite(target.least) else None,
            "met": target.met,
        }
        for target in targets
    ]
    compared = [] if found.peers is None else [dataclasses.asdict(figure) for figure in figures(found.peers)]
    return {"targets": judged, "compared": compared, **dataclasses.asdict(found)}


def _verdicts(targets: list[Target]) -> Table:
    table = Table("target", "measured", "limit", "", "verdict", title="Targets")
    for target in targets:
        verdict = "[green]pass" if target.met else "[bold red]MISSED"
        limit = f"{target.limit:,.4g}" if math.isfinite(target.limit) else f"at least {target.least:,.4g}"
        table.add_row(target.name, f"{target.measured:,.3g}", limit, target.unit, verdict)
    return table


def _per_step(found: Findings) -> Table:
    table = Table("per step", "", *(f"N = {steps}" for steps in found.plan.lengths), title="Per step, medians")
    for name, pick, scale in _FIGURES:
        for side in ("bare", "ours"):
            row = (scale * found.per_step(side, steps, pick) for steps in found.plan.lengths)
            table.add_row(name, side, *(f"{value:,.2f}" for value in row))
        if name != "client CPU ms":  # that of bare is next to nothing
            table.add_row("", "x", *(f"{found.ratio(steps, pick):.3f}" for steps in found.plan.lengths), style="bold")
        table.add_section()
    return table


def _beside(found: Findings) -> Table:
    many, steps = found.plan.beside
    titles = ("", "bare", "ours", "x", "bare, local activity", "x", "local tool", "x")
    table = Table(*titles, title=f"{many} runs of {steps} steps side by side, medians")
    figures: tuple[tuple[str, Callable[[SideBySide], float], float], ...] = (
        ("wall ms", attrgetter("wall_s"), _MS),
        ("worker CPU ms", attrgetter("worker_cpu_s"), _MS),
        ("server CPU ms", attrgetter("server_cpu_s"), _MS),
        ("client CPU ms", attrgetter("client_cpu_s"), _MS),
        ("requests to read, each run", attrgetter("reading_per_run"), 1.0),
        ("an end is known after ms", attrgetter("lag_s"), _MS),
    )
    for name, pick, scale in figures:
        row = [name]
        for side in _BESIDE:
            row.append(f"{scale * statistics.median(pick(each) for each in found.beside_of(side)):,.1f}")
            row += [f"{found.beside_ratio(side, pick):.2f}"] if side != "bare" else []
        table.add_row(*row)
    return table


def _readings(found: Findings) -> Table:
    table = Table("reading back", "", title="What else")
    for side, taken in found.replay_s.items():
        table.add_row(f"replay of {found.plan.at} steps, {side}", f"{_MS * statistics.median(taken):,.0f} ms")
    for steps, taken in found.fold_s.items():
        table.add_row(f"fold of {steps} steps", f"{_MS * statistics.median(taken):,.1f} ms")
    for side, held in found.memory_bytes.items():
        table.add_row(f"memory of the worker, {side}", f"{held / 1e6:,.0f} MB")
    for side, title in _LOCAL.items():
        ratio = found.ratio(found.plan.at, attrgetter("wall_s"), side)
        table.add_row(f"wall of {found.plan.at} steps, {title}", f"{ratio:.2f} x bare")
    for run in found.long:
        kind = ", local tool" if run.side == "local" else ""
        per_step = f"{_MS * run.wall_s / run.steps:,.0f} ms per step"
        table.add_row(f"a run of {run.steps:,} steps{kind}", f"{run.executions} executions, {per_step}")
        table.add_row("    first steps, last steps", f"{_MS * run.first_s:,.1f} ms, {_MS * run.last_s:,.1f} ms each")
        table.add_row("    the first steps of another run beside the last", f"{_MS * run.beside_s:,.1f} ms each")
    _many(table, found)
    if found.starting is not None:
        for start, polled_s in found.starting.first_poll_s.items():
            row = f"first poll of a new worker, {_STARTED[start]}"
            table.add_row(row, f"{_MS * statistics.median(polled_s):,.0f} ms")
        imported_s = statistics.median(found.starting.import_worker_s)
        table.add_row("import of a worker's names", f"{_MS * imported_s:,.0f} ms")
    table.add_row("States found in the cache, all runs", f"{found.steady['hits']:,}")
    table.add_row("States folded, all runs", f"{found.steady['folds']:,}")
    table.add_row("States folded by a worker new to a run", f"{found.takeover['folds']:,}")
    return table


def _many(table: Table, found: Findings) -> None:
    if found.waited is not None:
        waited, each = found.waited, found.waited.sessions
        per_session = (waited.memory_bytes - waited.memory_before_bytes) / each
        table.add_row(f"{each:,} sessions wait: until the last does", f"{waited.paused_s:,.1f} s")
        table.add_row(
            "    memory of their worker", f"{waited.memory_bytes / 1e6:,.0f} MB, {per_session / 1e3:,.0f} KB each"
        )
        table.add_row("    CPU of their worker, idle", f"{waited.idle_cpu_s_per_minute:,.2f} s a minute")
        table.add_row("    all approved and finished", f"{waited.finished_s:,.1f} s")
    for watched in found.watched:
        table.add_row(f"requests to read of a run with {watched.watchers} watching", f"{watched.requests:,}")
    if found.fair is not None:
        fair = found.fair
        table.add_row("a run of one step", f"{_MS * fair.alone_s:,.0f} ms")
        behind = f"{_MS * fair.behind_s:,.0f} ms, with {fair.left:,} left in the end"
        table.add_row(f"    behind {fair.queued:,} runs of another tenant", behind)
    for streamed in found.streamed:
        lag = f", a token after {_MS * streamed.lag_s:,.0f} ms" if streamed.tokens else ""
        weight = f"{streamed.events:,} events, {streamed.history_bytes / 1e3:,.0f} KB"
        table.add_row(f"500 tokens, {streamed.way}", f"{weight}{lag}")
