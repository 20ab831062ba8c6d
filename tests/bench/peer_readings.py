"""Start and replay of all sides: each peer in a process of its own environment."""

import asyncio
import sys
import tempfile
import uuid
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Final

from temporalio.api.history.v1 import History
from temporalio.client import Client, WorkflowHistory

from tests.bench.environments import ROOT, environment
from tests.bench.peer_findings import PeerFindings, Unfinished
from tests.bench.plan import Plan
from tests.bench.processes import peer_environment
from tests.bench.reading import replay_s
from tests.bench.sides import PEERS, Peer, Side
from tests.bench.starting import first_poll_s
from tests.bench.weighing import histories_of

REPLAY: Final = "replay"
START: Final = "start"
_PATIENCE_S: Final = 120.0
_OWN: Final[tuple[Side, ...]] = ("bare", "ours")


async def replays(client: Client, _address: str, plan: Plan, found: PeerFindings) -> None:
    """Replay the last of the longest runs with small results; bare's and ours, in this process."""
    steps, size = found.replayed = plan.peer_lengths[-1], plan.peer_sizes[0]
    for own in _OWN:
        last = found.runs_of(own, steps, size)[-1]
        histories = await histories_of(client, last.workflow_id, last.run_id)
        # The first pays for imports.
        found.replay_s[own] = [await replay_s(own, histories) for _ in range(plan.peer_readings + 1)][1:]
    for peer in PEERS:
        for last in found.runs_of(peer, steps, size)[-1:]:
            histories = await histories_of(client, last.workflow_id, last.run_id)
            await _replay_peer(peer, histories[-1], plan.peer_readings, found)


async def starts(client: Client, address: str, plan: Plan, found: PeerFindings) -> None:
    """Start a worker of each side so many times, the sides taking turns."""
    for _ in range(plan.starts):
        for side in found.sides:
            if side == "local" or found.reason(side, START):
                continue
            module, python, env = "tests.bench.first_poll", sys.executable, None
            if side in PEERS:
                module, python, env = "tests.bench.peers", str(await environment(side)), peer_environment()
            queue = f"start-{side}-{uuid.uuid4().hex[:8]}"
            try:
                took_s = await first_poll_s(client, [python, "-m", module, side, address, queue], queue, env)
            except TimeoutError as error:
                found.unfinished.append(Unfinished(side, START, str(error)))
            else:
                found.start_s.setdefault(side, []).append(took_s)


async def _replay_peer(peer: Peer, history: WorkflowHistory, readings: int, found: PeerFindings) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "history"
        file.write_bytes(History(events=history.events).SerializeToString())
        command = [str(await environment(peer)), "-m", "tests.bench.peers.replay"]
        given = [peer, history.workflow_id, str(file), str(readings)]
        process = await asyncio.create_subprocess_exec(
            *command, *given, stdout=PIPE, stderr=PIPE, env=peer_environment(), cwd=ROOT
        )
        try:
            async with asyncio.timeout(_PATIENCE_S):
                written, failed = await process.communicate()
        except TimeoutError:
            found.unfinished.append(Unfinished(peer, REPLAY, f"not done after {_PATIENCE_S:.0f} s"))
            return
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode:
        lines = failed.decode(errors="replace").split("\n")
        reason = next((line.strip() for line in reversed(lines) if line.strip()), "failed without a word")
        found.unfinished.append(Unfinished(peer, REPLAY, reason[:200]))
    else:
        found.replay_s[peer] = [float(line) for line in written.decode().split()[-readings:]]
