"""The worker processes of the story: started, killed, replaced, never left behind."""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from spine_temporal.demo.story.worker import READY, WorkerArgs, identity_of
from spine_temporal.errors import RunFailed

_START_S: Final = 60.0
_GRACE_S: Final = 5.0
_LOG_LINES: Final = 12


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker process that polls, or did."""

    name: str
    identity: str
    process: Process


class Workers:
    """All workers of one demo. On leaving the context they are gone; they go too when this process is killed.

    `environment` is theirs, `log_file` takes what they write to stderr.
    """

    def __init__(self, args: WorkerArgs, environment: dict[str, str], log_file: Path) -> None:
        self._args, self._environment, self._log_file = args, environment, log_file
        self._processes: dict[str, Process] = {}

    async def start(self, name: str) -> Worker:
        """A new worker; on return it polls.

        Raises:
            RunFailed: it ended, or did not poll in a minute.
        """
        with self._log_file.open("ab") as log:
            # In a session of its own, Ctrl-C in the terminal does not reach it before it is asked to stop.
            process = self._processes[name] = await asyncio.create_subprocess_exec(
                *self._args.command(name),
                env=self._environment,
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert process.stdout is not None  # noqa: S101
        try:
            async with asyncio.timeout(_START_S):
                ready = await process.stdout.readline() == READY
        except TimeoutError:
            ready = False
        if not ready:
            raise self._lost(name)
        return Worker(name, identity_of(name, process.pid), process)

    async def kill_while(self, worker: Worker, holds: Callable[[], bool]) -> bool:
        """SIGKILL the worker if `holds()`, asked while it is frozen; else it works on. Whether it was killed."""
        worker.process.send_signal(signal.SIGSTOP)
        if not holds():
            worker.process.send_signal(signal.SIGCONT)
            return False
        await self._end(worker.name, at_once=True)
        return True

    def check(self) -> None:
        """Raise RunFailed when a worker ended by itself: nothing would go on."""
        for name, process in self._processes.items():
            if process.returncode is not None:
                raise self._lost(name)

    async def __aenter__(self) -> Self:
        self._log_file.write_bytes(b"")
        return self

    async def __aexit__(
        self, type_: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            for name in list(self._processes):
                await self._end(name)
        finally:
            for process in self._processes.values():
                _signal(process, signal.SIGKILL)

    async def _end(self, name: str, *, at_once: bool = False) -> None:
        process = self._processes[name]
        if not at_once:
            _signal(process, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GRACE_S):
                    await process.wait()
        _signal(process, signal.SIGKILL)
        await process.wait()
        del self._processes[name]

    def _lost(self, name: str) -> RunFailed:
        lines = "\n".join(self._log_file.read_text(errors="replace").splitlines()[-_LOG_LINES:])
        return RunFailed(f"{name} ended by itself, or did not come up. The end of {self._log_file}:\n{lines}")


def _signal(process: Process, number: signal.Signals) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
