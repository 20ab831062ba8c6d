"""The benchmark from the first run to the last."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from temporalio.converter import DataConverter

from spine_temporal.testing import dev_server
from spine_temporal.testing.server import TestServer
from tests.bench.cache_memory import many_sessions, one_session
from tests.bench.fair import share_out
from tests.bench.findings import Findings
from tests.bench.large import large_conversation
from tests.bench.long import long_run
from tests.bench.peer_runs import measure_peers
from tests.bench.plan import Plan
from tests.bench.processes import WorkerProcess, worker_process
from tests.bench.reading import fold_s, replay_s
from tests.bench.running import Bench, Measured
from tests.bench.short_runs import short_runs
from tests.bench.side_by_side import SideBySide, side_by_side
from tests.bench.sides import Side
from tests.bench.starting import start
from tests.bench.streaming import read_along
from tests.bench.takeover import take_over
from tests.bench.waiting import waiting_sessions
from tests.bench.watching import watch
from tests.bench.weighing import histories_of

type Tell = Callable[[str], None]

_WARM_UP_STEPS = 20
_WARM_UP_RUNS = 10


async def measure(plan: Plan, tell: Tell) -> Findings:
    """Everything the plan asks for, on one server, the sides taking turns."""
    found = Findings(plan)
    if plan.ours:
        async with dev_server(data_converter=DataConverter.default) as server:
            await _ours(server, found, tell)
        tell(f"a tenant behind {plan.queued} runs of another")
        found.fair = await share_out(queued=plan.queued)
    if plan.peers:
        # A server of their own: their histories fill its memory.
        async with dev_server(data_converter=DataConverter.default) as server:
            pid = server.process.pid
            assert pid is not None
            found.peers = await measure_peers(server.client, server.address, pid, plan, tell)
    return found


async def _ours(server: TestServer, found: Findings, tell: Tell) -> None:
    plan = found.plan
    await _runs(server, found, tell)
    await _readings(server, found, tell)
    async with worker_process("ours", server.address) as worker:
        tell(f"{plan.sessions} sessions that wait for an approval")
        found.waited = await waiting_sessions(server.client, worker, plan.sessions)
        tell(f"a run with {plan.watchers} watchers, and with one")
        pid = server.process.pid
        assert pid is not None
        tell("an answer of 500 tokens, read along")
        async with worker_process("streams", server.address):
            found.streamed = await read_along(server.client)
        found.watched = [await watch(server.client, pid, watchers=many) for many in (1, plan.watchers)]
    sides: tuple[Side, ...] = ("ours", "local")
    for side in sides:
        tell(f"a run of {plan.long_steps} steps, held against the kernel's, {side}")
        async with worker_process(side, server.address):
            found.long.append(await long_run(server.client, side, plan.long_steps))
    await _memory(server, found, tell)
    tell(f"{plan.starts} starts")
    found.starting = await start(server.client, server.address, repeats=plan.starts)
    tell(f"a worker that starts in the middle of a run of {plan.at} steps")
    found.takeover = await take_over(server.client, server.address, steps=plan.at, size=plan.size)


async def _runs(server: TestServer, found: Findings, tell: Tell) -> None:
    plan = found.plan
    pid = server.process.pid
    assert pid is not None
    bench = Bench(server.client, pid, plan.size)
    async with (
        worker_process("bare", server.address) as bare,
        worker_process("bare_local", server.address) as bare_local,
        worker_process("ours", server.address, hooked=plan.hooked) as ours,
        worker_process("local", server.address, hooked=plan.hooked) as local,
    ):
        every = (bare, ours, bare_local, local)
        for worker in every:
            await bench.measure(worker, steps=_WARM_UP_STEPS, repeat=-1)
        for repeat in range(plan.repeats):
            for turn, steps in enumerate(plan.runs, start=repeat):
                # Whoever comes second finds a larger database and a warmer machine: they take turns in that, too.
                sides = every if steps == plan.at else (bare, ours)
                for worker in sides if turn % 2 else sides[::-1]:
                    run = await bench.measure(worker, steps=steps, repeat=repeat)
                    found.runs.append(run)
                    tell(_line(run))
        for repeat in range(-1, plan.beside_repeats):
            for worker in every if repeat % 2 else every[::-1]:
                many, steps = plan.beside
                if repeat < 0:
                    await side_by_side(server.client, pid, worker, runs=_WARM_UP_RUNS, steps=steps)
                    continue
                together = await side_by_side(server.client, pid, worker, runs=many, steps=steps)
                tell(_together(together))
                found.beside.append(together)
        await asyncio.gather(bare_local.stop(), local.stop())
        for repeat in range(plan.repeats):
            many, steps = plan.beside
            one = (bench.measure(worker, steps=plan.at, repeat=repeat) for worker in (bare, ours))
            found.at_once.append(await _pair(one))
            # Half of each: together they are as many as otherwise.
            more = (side_by_side(server.client, pid, worker, runs=many // 2, steps=steps) for worker in (bare, ours))
            found.many_at_once.append(await _pair(more))
        tell(f"bare and ours at the same time, worker CPU: {found.worker_cpu_ratio():.2f} x with one run of each")
        found.memory_bytes = {"bare": bare.memory_bytes, "ours": ours.memory_bytes}
        found.steady = await _counts(bare, ours)


async def _pair[T](measured: Iterator[Coroutine[Any, Any, T]]) -> tuple[T, T]:
    bare, ours = await asyncio.gather(*measured)
    return bare, ours


async def _counts(bare: WorkerProcess, ours: WorkerProcess) -> dict[str, int]:
    counted = await asyncio.gather(bare.stop(), ours.stop())
    return counted[1]


async def _readings(server: TestServer, found: Findings, tell: Tell) -> None:
    plan = found.plan
    sides: tuple[Side, ...] = ("bare", "ours")
    last = {side: found.of(side, plan.at)[-1] for side in sides}
    histories = {side: await histories_of(server.client, run.workflow_id, run.run_id) for side, run in last.items()}
    tell(f"replay of {plan.at} steps")
    for reading in range(plan.readings + 1):
        for side in sides:
            took_s = await replay_s(side, histories[side])
            if reading:  # the first pays for imports
                found.replay_s[side].append(took_s)
    for steps in sorted({plan.at, plan.lengths[-1]}):
        tell(f"fold of {steps} steps")
        run = found.of("ours", steps)[-1]
        folded = await histories_of(server.client, run.workflow_id, run.run_id)
        found.fold_s[steps] = [await fold_s(server.client, folded) for _ in range(plan.readings)]


async def _memory(server: TestServer, found: Findings, tell: Tell) -> None:
    plan, client, address = found.plan, server.client, server.address
    first, runs = plan.short_runs
    if runs:
        tell(f"{runs} short runs on one worker")
        found.short_runs = await short_runs(client, address, first=first, runs=runs)
    tell(f"a conversation of {plan.large_pieces} MB")
    found.large = await large_conversation(client, address, pieces=plan.large_pieces)
    if plan.chatty_turns:
        tell(f"a session of {plan.chatty_turns} turns, and {plan.cached_sessions} sessions: the memory of their worker")
        found.cache_memory.append(await one_session(client, address, plan.chatty_turns))
        found.cache_memory.append(await many_sessions(client, address, plan.cached_sessions))


def _together(run: SideBySide) -> str:
    return (
        f"{run.side:<5} {run.runs} x {run.steps} steps  {run.wall_s:5.1f} s  worker CPU {run.worker_cpu_s:5.2f} s  "
        f"server CPU {run.server_cpu_s:5.2f} s  {run.reading_per_run:4.1f} requests to read, each  "
        f"known after {1000 * run.lag_s:3.0f} ms"
    )


def _line(run: Measured) -> str:
    wall_ms, cpu_ms = (1000 * seconds / run.steps for seconds in (run.wall_s, run.worker_cpu_s))
    return f"{run.side}  {run.steps:>4} steps  wall {wall_ms:6.1f} ms/step  worker CPU {cpu_ms:6.2f} ms/step"
