"""Real worker processes that a test starts, kills and replaces."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, ClassVar, Final, Self

from tests.faults import worker_main
from tests.faults.agents import Effects
from tests.support.waiting import until

# Each worker is forked from a process that has imported everything and started nothing: importing takes a second.
_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([worker_main.__name__])


class Forked:
    """A worker process like any other, without the second that importing takes."""

    def __init__(self, run: Callable[..., None], *arguments: Any) -> None:
        self._process = _FORKS.Process(target=run, args=arguments)
        self._process.start()

    def send_signal(self, number: int) -> None:
        assert self._process.pid is not None
        if self._process.is_alive():
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, negative for a signal; it is an error if it has none within `timeout` seconds."""
        self._process.join(timeout)
        code = self._process.exitcode
        assert code is not None, f"the worker did not end in {timeout} s"
        return code


type WorkerProcess = Forked | subprocess.Popen[bytes]


class Fleet:
    """The worker processes of one test, all gone when it ends; `options` go to AgentWorker."""

    main: ClassVar[ModuleType] = worker_main
    """What each of them runs."""

    def __init__(self, address: str, task_queue: str, folder: Path, **options: Any) -> None:
        self.effects = Effects(folder)
        self.task_queue = task_queue
        self._arguments = (address, task_queue, str(folder))
        self._options = options
        self._processes: list[WorkerProcess] = []

    def start(self, *, environment: Mapping[str, str] | None = None) -> WorkerProcess:
        """Start a worker; with an `environment` of its own, as a process of its own from the beginning."""
        process: WorkerProcess
        if environment is None:
            process = Forked(self.main.run, *self._arguments, self._options)
        else:
            command = [sys.executable, "-m", self.main.__name__, *self._arguments]
            process = subprocess.Popen(command, env={**os.environ, **environment})
        self._processes.append(process)
        return process

    async def kill_at(self, point: str, *, when: Callable[[], Awaitable[bool]] | None = None) -> None:
        """Start a worker, let it come to `point`, kill it there, and not before `when` says so."""
        self.effects.hold(point)
        before, process = self.effects.count(f"started {point}"), self.start()
        await until(lambda: self.effects.count(f"started {point}") > before, f"a worker at {point}")
        if when is not None:
            await until(when, f"what is to be seen of a worker at {point}")
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.effects.release(point)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, type_: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
