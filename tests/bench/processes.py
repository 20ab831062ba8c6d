"""A worker process as the benchmark holds it."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import psutil

from tests.bench.environments import ROOT
from tests.bench.sides import Peer, Side

_PATIENCE_S = 60.0
# A peer gets no key and no setting of the user's: some of the libraries would trace to their vendors.
_PEER_ENVIRONMENT: Final = ("PATH", "HOME", "LANG", "TMPDIR")


def cpu_s(process: psutil.Process) -> float:
    """CPU seconds of a process so far, its children included."""
    times = process.cpu_times()
    spent = times.user + times.system + times.children_user + times.children_system
    return float(spent + sum(cpu_s(child) for child in process.children()))


class WorkerProcess:
    """One side's worker in a process of its own."""

    def __init__(self, side: Side | Peer, process: Process) -> None:
        self.side = side
        self.task_queue = queue_of(side)
        self._process = process
        self._known = psutil.Process(process.pid)

    @property
    def cpu_s(self) -> float:
        """CPU seconds it has used."""
        return cpu_s(self._known)

    @property
    def memory_bytes(self) -> int:
        """What it holds in memory."""
        return int(self._known.memory_info().rss)

    @property
    def peak_bytes(self) -> int:
        """The most it has held so far."""
        status = Path(f"/proc/{self._known.pid}/status").read_text()
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])

    @property
    def alive(self) -> bool:
        """It has not ended."""
        return self._process.returncode is None

    async def ended(self) -> int:
        """Wait for its end; the exit code."""
        return await self._process.wait()

    async def stop(self) -> dict[str, int]:
        """Let it end; what its cache counted."""
        async with asyncio.timeout(_PATIENCE_S):
            said, _ = await self._process.communicate()
        # Before it, the SDK may have warned of large payloads.
        counts: dict[str, int] = json.loads(said.splitlines()[-1])
        return counts


@asynccontextmanager
async def worker_process(
    side: Side, address: str, *, hooked: bool = False, **options: Any
) -> AsyncIterator[WorkerProcess]:
    """A worker of that side, ready; it is gone on exit, whatever happened. The options are those of AgentWorker."""
    given = "hooked" if hooked else "none", json.dumps(options)
    command = [sys.executable, "-m", "tests.bench.serving", side, address, queue_of(side), *given]
    async with _process(side, command, None) as worker:
        yield worker


@asynccontextmanager
async def peer_process(peer: Peer, python: Path, address: str) -> AsyncIterator[WorkerProcess]:
    """A worker of that peer, run by the interpreter of its environment, ready; it is gone on exit."""
    command = [str(python), "-m", "tests.bench.peers", peer, address, queue_of(peer)]
    async with _process(peer, command, peer_environment()) as worker:
        yield worker


def peer_environment() -> dict[str, str]:
    """The environment variables of a peer's processes."""
    return {name: os.environ[name] for name in _PEER_ENVIRONMENT if name in os.environ}


@asynccontextmanager
async def _process(side: Side | Peer, command: list[str], env: dict[str, str] | None) -> AsyncIterator[WorkerProcess]:
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, env=env, cwd=ROOT)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(_PATIENCE_S):
            said = await process.stdout.readline()
        if said != b"ready\n":
            raise RuntimeError(f"the {side} worker said {said!r} instead of being ready; its error is above")
        yield WorkerProcess(side, process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def queue_of(side: Side | Peer) -> str:
    """The task queue of that side's workers."""
    return f"bench-{side}"


def workflow_of(side: Side | Peer) -> str:
    """The workflow of a side that is not ours; it takes steps and bytes."""
    return f"bench.{side}"
