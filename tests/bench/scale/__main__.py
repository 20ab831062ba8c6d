"""The command line of the benchmark of scale; its exit code is 1 when a run is lost or an effect doubled."""

import argparse
import asyncio
import dataclasses
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import psutil
from rich.console import Console
from rich.table import Table

from spine_temporal.testing import dev_server
from spine_temporal.testing.server import TestServer
from tests.bench.requests import ServerRequests
from tests.bench.scale.fleet import Fleet, cpu_s
from tests.bench.scale.load import (
    CALLS,
    Burst,
    Opened,
    Rolled,
    burst,
    open_sessions,
    roll,
    size_bytes,
    until_idle,
    warm_up,
)

_WORKERS: Final = 2
_AT_ONCE: Final = 20
_EVERY_S: Final = 1.0
_IDLE_S: Final = 60.0
# Of workers, whether or not there are sessions: polls, and what says that a worker is there.
_OF_WORKERS: Final = frozenset({"PollWorkflowTaskQueue", "PollActivityTaskQueue", "RecordWorkerHeartbeat"})


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """All of it."""

    opened: Opened
    server_cpu_s: float
    """Of the server, from the first start to the last answer."""
    worker_cpu_s: float
    """Of all workers, over the same time."""
    history_bytes: int
    """Of one session with one turn."""
    idle_requests: dict[str, int]
    """In a minute in which nobody calls, but for those of workers."""
    server_bytes: int
    worker_bytes: int
    burst: Burst
    with_calls: Burst
    """The same, with tool calls in each turn: what a further step costs is the difference, over their number."""
    rolled: Rolled


async def measure(options: argparse.Namespace, progress: Console) -> Found:
    """From the first session to the last restart."""
    with tempfile.TemporaryDirectory() as folder:
        async with dev_server() as server, Fleet(server, Path(folder), _WORKERS) as fleet:
            pid = server.process.pid
            assert pid is not None
            await warm_up(server.client)
            progress.print(f"{options.sessions:,} sessions")

            def cpu() -> tuple[float, float]:
                return cpu_s(pid), fleet.cpu_s

            before = cpu()
            opened = await open_sessions(server.client, options.sessions)
            await until_idle(server.client)
            server_cpu_s, worker_cpu_s = (after - spent for after, spent in zip(cpu(), before, strict=True))
            history_bytes = await size_bytes(server.client)
            progress.print("a minute without callers")
            idle = await _idle_requests(pid)
            sizes = int(psutil.Process(pid).memory_info().rss), fleet.memory_bytes
            progress.print(f"{options.turns:,} turns at once")
            many = await burst(server.client, options.turns, cpu)
            progress.print(f"{options.turns:,} more, with {CALLS} tool calls each")
            with_calls = await burst(server.client, options.turns, cpu, first=options.turns, calls=CALLS)
            progress.print(f"{options.restarts} restarts under load")
            rolled = await _rolled(server, fleet, options.restarts)
            return Found(opened, server_cpu_s, worker_cpu_s, history_bytes, idle, *sizes, many, with_calls, rolled)


async def _rolled(server: TestServer, fleet: Fleet, restarts: int) -> Rolled:
    return await roll(server.client, fleet, restarts, at_once=_AT_ONCE, every_s=_EVERY_S)


async def _idle_requests(server_pid: int) -> dict[str, int]:
    requests = ServerRequests(server_pid)
    before = await requests.settled()
    await asyncio.sleep(_IDLE_S)
    counted = await requests.settled()
    counted.subtract(before)
    return {operation: times for operation, times in counted.items() if times > 0 and operation not in _OF_WORKERS}


def rows(found: Found) -> list[tuple[str, str]]:
    """What the table shows."""
    opened, many, rolled = found.opened, found.burst, found.rolled
    waited = statistics.quantiles(rolled.waited_s, n=100)
    answers = statistics.quantiles(many.answers_s, n=100)
    idle_per_hour = sum(found.idle_requests.values()) * 3600 / _IDLE_S / opened.sessions
    return [
        (f"{opened.sessions:,} sessions: starts", f"{opened.sessions / opened.started_s:,.0f} a second"),
        ("    answers", f"{opened.sessions / opened.answered_s:,.0f} a second, on {_WORKERS} workers"),
        ("    CPU of each", _cpu(found.worker_cpu_s, found.server_cpu_s, opened.sessions)),
        ("    history of each", f"{found.history_bytes:,} bytes"),
        ("    requests of each while nobody calls", f"{idle_per_hour:,.3g} an hour"),
        ("    memory of the server", f"{found.server_bytes / 1e6:,.0f} MB"),
        ("    memory of the larger worker", f"{found.worker_bytes / 1e6:,.0f} MB"),
        (f"{many.turns:,} turns at once: answers", f"{many.turns / many.wall_s:,.0f} a second"),
        ("    an answer after, median and p99", f"{answers[49]:,.1f} s, {answers[98]:,.1f} s"),
        ("    CPU of each", _cpu(many.worker_cpu_s, many.server_cpu_s, many.turns)),
        ("    a further step with its tool call: CPU", _further(many, found.with_calls)),
        (f"{rolled.restarts} restarts under load: runs", f"{rolled.runs:,}, {rolled.lost} lost"),
        ("    effects", f"{rolled.doubled} doubled, {rolled.missing} missing"),
        ("    exit codes of workers", ", ".join(f"{code}: {times}" for code, times in rolled.exit_codes.items())),
        ("    a step or a call begins after, median and p99", f"{waited[49]:,.3f} s, {waited[98]:,.3f} s"),
    ]


def _further(one: Burst, more: Burst) -> str:
    worker_s, server_s = more.worker_cpu_s - one.worker_cpu_s, more.server_cpu_s - one.server_cpu_s
    return _cpu(worker_s, server_s, CALLS * one.turns)


def _cpu(worker_s: float, server_s: float, among: int) -> str:
    return f"{worker_s / among * 1e3:,.1f} ms of a worker, {server_s / among * 1e3:,.1f} ms of the server"


def as_json(found: Found) -> dict[str, Any]:
    """The raw figures."""
    return dataclasses.asdict(found)


def main() -> int:
    """Measure, print, write; 0 when nothing was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale", description="Many sessions, many restarts.")
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--turns", type=int, default=500)
    parser.add_argument("--restarts", type=int, default=20)
    parser.add_argument("--json", type=Path, default=Path("bench-scale.json"), help="where the raw figures go")
    options = parser.parse_args()
    found = asyncio.run(measure(options, Console(stderr=True, highlight=False)))
    table = Table("", "", title="Scale")
    for row in rows(found):
        table.add_row(*row)
    Console().print(table)
    options.json.write_text(json.dumps(as_json(found), indent=2) + "\n")
    return 0 if not (found.rolled.lost or found.rolled.doubled or found.rolled.missing) else 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # Interpreter exit with temporalio loaded may segfault (sdk-python#300).
    os._exit(code)
