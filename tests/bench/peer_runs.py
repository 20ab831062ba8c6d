"""The job on other integrations for Temporal, beside the bare workflow and ours.

A peer that fails, hangs or dies costs its own figures; when the bare workflow or ours does, the benchmark ends.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, Final

import psutil
from temporalio.client import Client, WorkflowFailureError
from temporalio.service import RPCError

from tests.bench import peer_readings
from tests.bench.environments import NotInstalledError, environment, versions
from tests.bench.peer_findings import PeerFindings, Unfinished, of_many, of_run
from tests.bench.plan import Plan
from tests.bench.processes import WorkerProcess, peer_process, worker_process
from tests.bench.running import Bench, Measured
from tests.bench.side_by_side import RESULT_BYTES, SideBySide, side_by_side
from tests.bench.sides import OWN, PEERS

type Tell = Callable[[str], None]

_WARM_UP: Final = (5, 200)
_WARM_UP_S: Final = 60.0
# Ten times what the slowest of them takes on two quiet cores.
_PATIENCE_S: Final = 240.0
# A TimeoutError is an OSError.
_FAILURES: Final = (NotInstalledError, WorkflowFailureError, RPCError, RuntimeError, OSError, psutil.Error)


async def measure_peers(client: Client, address: str, server_pid: int, plan: Plan, tell: Tell) -> PeerFindings:
    """Do the job on all sides, which take turns; who cannot be installed, or fails at once, is left out."""
    found = PeerFindings()
    async with AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(worker_process(side, address)) for side in OWN]
        for worker in workers:
            await _warm_up(client, server_pid, worker)
        for peer in PEERS:
            tell(f"the environment of {peer}")
            try:
                python = await environment(peer)
                async with AsyncExitStack() as failing:
                    worker = await failing.enter_async_context(peer_process(peer, python, address))
                    await _warm_up(client, server_pid, worker)
                    found.versions[peer] = await versions(python)
                    stack.push_async_exit(failing.pop_all())
            except _FAILURES as error:
                found.absent[peer] = reason_of(error)
                tell(f"{peer} takes no part: {found.absent[peer]}")
            else:
                workers.append(worker)
        await _runs(client, server_pid, workers, plan, found, tell)
        await _beside(client, server_pid, workers, plan, found, tell)
        found.memory_bytes = {worker.side: worker.peak_bytes for worker in workers if worker.alive}
    for what, read in (("replay", peer_readings.replays), ("start", peer_readings.starts)):
        tell(f"{what} of all sides")
        await read(client, address, plan, found)
    return found


def reason_of(error: BaseException) -> str:
    """What went wrong, in one line that a table has room for."""
    cause = error.cause if isinstance(error, WorkflowFailureError) else error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    text = " ".join(str(cause).split()) or type(cause).__name__
    return text if len(text) <= 200 else f"{text[:199]}…"


async def in_time[T](worker: WorkerProcess, job: Coroutine[Any, Any, T], limit_s: float) -> T:
    """What the job gives.

    Raises:
        TimeoutError: it is not done after `limit_s`.
        RuntimeError: the worker's process has ended.
    """
    task, ended = asyncio.ensure_future(job), asyncio.ensure_future(worker.ended())
    try:
        done, _ = await asyncio.wait((task, ended), timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        if task in done:
            return await task
        if ended in done:
            raise RuntimeError(f"its worker ended with exit code {ended.result()}")
        raise TimeoutError(f"not done after {limit_s:.0f} s")
    finally:
        for each in (task, ended):
            each.cancel()
        # The job, cancelled, terminates what it started.
        await asyncio.wait((task, ended))


async def _warm_up(client: Client, server_pid: int, worker: WorkerProcess) -> None:
    steps, size = _WARM_UP
    await in_time(worker, Bench(client, server_pid, size).measure(worker, steps=steps, repeat=-1), _WARM_UP_S)


async def _runs(
    client: Client, server_pid: int, workers: list[WorkerProcess], plan: Plan, found: PeerFindings, tell: Tell
) -> None:
    for repeat in range(plan.peer_repeats):
        for size in plan.peer_sizes:
            for steps in plan.peer_lengths:
                bench = Bench(client, server_pid, size)
                for worker in workers if repeat % 2 else workers[::-1]:
                    run = await _done(
                        worker, of_run(steps, size), bench.measure, found, tell, steps=steps, repeat=repeat
                    )
                    if run is not None:
                        found.runs.append(run)
                        tell(_line(run))


async def _beside(
    client: Client, server_pid: int, workers: list[WorkerProcess], plan: Plan, found: PeerFindings, tell: Tell
) -> None:
    runs, steps = plan.beside
    what = of_many(runs, steps, RESULT_BYTES)

    async def together(worker: WorkerProcess, share: int) -> SideBySide:
        return await side_by_side(client, server_pid, worker, runs=max(1, runs // share), steps=steps)

    # The first at once find a worker that has not yet worked so.
    for worker in workers:
        await _done(worker, what, together, found, tell, share=5)
    for repeat in range(plan.peer_repeats):
        for worker in workers if repeat % 2 else workers[::-1]:
            beside = await _done(worker, what, together, found, tell, share=1)
            if beside is not None:
                found.beside.append(beside)
                tell(f"{worker.side:<13} {runs} x {steps} steps  {beside.wall_s:5.1f} s")


async def _done[T](
    worker: WorkerProcess,
    what: str,
    job: Callable[..., Coroutine[Any, Any, T]],
    found: PeerFindings,
    tell: Tell,
    **given: Any,
) -> T | None:
    if found.reason(worker.side, what):
        return None
    try:
        return await in_time(worker, job(worker, **given), _PATIENCE_S)
    except _FAILURES as error:
        if worker.side in OWN:
            raise
        found.unfinished.append(Unfinished(worker.side, what, reason_of(error)))
        tell(f"{worker.side:<13} {what}: {reason_of(error)}")
        return None


def _line(run: Measured) -> str:
    wall_ms, cpu_ms = (1000 * seconds / run.steps for seconds in (run.wall_s, run.worker_cpu_s))
    weight = f"{run.weight.history_bytes:>11,} bytes  {run.weight.events:>5,} events"
    what = f"{run.side:<13} {run.steps:>4} steps of {run.size:>4} bytes"
    return f"{what}  wall {wall_ms:6.1f} ms/step  worker CPU {cpu_ms:6.2f} ms/step  {weight}"
