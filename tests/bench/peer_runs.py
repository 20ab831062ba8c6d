"""The job on other integrations for Temporal, beside the bare workflow and ours."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final

from temporalio.client import Client, WorkflowFailureError

from tests.bench.environments import NotInstalledError, environment, versions
from tests.bench.plan import Plan
from tests.bench.processes import WorkerProcess, peer_process, worker_process
from tests.bench.running import Bench, Measured
from tests.bench.side_by_side import SideBySide, side_by_side
from tests.bench.sides import OWN, PEERS, Peer, Side

type Tell = Callable[[str], None]

_WARM_UP: Final = (5, 200)
# Ten times what the slowest of them takes on two quiet cores.
_PATIENCE_S: Final = 240.0


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A run that had no answer; it is not tried again at that length and size."""

    side: Side | Peer
    steps: int
    size: int
    reason: str


@dataclass(slots=True)
class PeerFindings:
    """The runs of all sides; the nth of every side at one length and size were taken one after the other."""

    runs: list[Measured] = field(default_factory=list)
    beside: list[SideBySide] = field(default_factory=list)
    unfinished: list[Unfinished] = field(default_factory=list)
    missing: dict[Peer, str] = field(default_factory=dict)
    """Peers that took no part, with the reason."""
    versions: dict[Peer, dict[str, str]] = field(default_factory=dict)

    @property
    def sides(self) -> list[Side | Peer]:
        """Who took part, in the order of the tables."""
        return [*OWN, *(peer for peer in PEERS if peer not in self.missing)]

    def runs_of(self, side: Side | Peer, steps: int, size: int) -> list[Measured]:
        """The runs of that side, length and size, in order."""
        return [run for run in self.runs if (run.side, run.steps, run.size) == (side, steps, size)]

    def beside_of(self, side: Side | Peer) -> list[SideBySide]:
        """The runs side by side of that side, in order."""
        return [each for each in self.beside if each.side == side]

    def reason(self, side: Side | Peer, steps: int, size: int) -> str:
        """Why that side did not finish; empty when it did."""
        at = (side, steps, size)
        return next((each.reason for each in self.unfinished if (each.side, each.steps, each.size) == at), "")


async def measure_peers(client: Client, address: str, server_pid: int, plan: Plan, tell: Tell) -> PeerFindings:
    """Do the job on all sides, which take turns; who cannot be installed is left out."""
    found = PeerFindings()
    async with AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(worker_process(side, address)) for side in OWN]
        for peer in PEERS:
            tell(f"the environment of {peer}")
            try:
                python = await environment(peer)
                found.versions[peer] = await versions(python)
                workers.append(await stack.enter_async_context(peer_process(peer, python, address)))
            except NotInstalledError as error:
                found.missing[peer] = f"not installed: {error}"
            except (RuntimeError, TimeoutError) as error:
                found.missing[peer] = f"no worker: {error or 'it was not ready in time'}"
            if peer in found.missing:
                tell(f"{peer}: {found.missing[peer]}")
        await _runs(client, server_pid, workers, plan, found, tell)
        await _beside(client, server_pid, workers, plan, found, tell)
    return found


async def _runs(
    client: Client, server_pid: int, workers: list[WorkerProcess], plan: Plan, found: PeerFindings, tell: Tell
) -> None:
    steps, size = _WARM_UP
    for worker in workers:
        async with asyncio.timeout(_PATIENCE_S):
            await Bench(client, server_pid, size).measure(worker, steps=steps, repeat=-1)
    for repeat in range(plan.peer_repeats):
        for size in plan.peer_sizes:
            for steps in plan.peer_lengths:
                bench = Bench(client, server_pid, size)
                for worker in workers if repeat % 2 else workers[::-1]:
                    if not found.reason(worker.side, steps, size):
                        tell(await _run(bench, worker, steps, repeat, found))


async def _run(bench: Bench, worker: WorkerProcess, steps: int, repeat: int, found: PeerFindings) -> str:
    what = f"{worker.side:<13} {steps:>4} steps of {bench.size:>4} bytes"
    try:
        async with asyncio.timeout(_PATIENCE_S):
            run = await bench.measure(worker, steps=steps, repeat=repeat)
    except (WorkflowFailureError, TimeoutError) as error:
        reason = f"not done after {_PATIENCE_S:.0f} s" if isinstance(error, TimeoutError) else str(error.cause)
        found.unfinished.append(Unfinished(worker.side, steps, bench.size, " ".join(reason.split())))
        return f"{what}  {reason}"
    found.runs.append(run)
    wall_ms, cpu_ms = (1000 * seconds / steps for seconds in (run.wall_s, run.worker_cpu_s))
    weight = f"{run.weight.history_bytes:>11,} bytes  {run.weight.events:>5,} events"
    return f"{what}  wall {wall_ms:6.1f} ms/step  worker CPU {cpu_ms:6.2f} ms/step  {weight}"


async def _beside(
    client: Client, server_pid: int, workers: list[WorkerProcess], plan: Plan, found: PeerFindings, tell: Tell
) -> None:
    many, steps = plan.beside
    for repeat in range(plan.peer_repeats):
        for worker in workers if repeat % 2 else workers[::-1]:
            together = await side_by_side(client, server_pid, worker, runs=many, steps=steps)
            what = f"{worker.side:<13} {many} x {steps} steps"
            tell(f"{what}  wall {together.wall_s:5.1f} s  worker CPU {together.worker_cpu_s:5.2f} s")
            found.beside.append(together)
