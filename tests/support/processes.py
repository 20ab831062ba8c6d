"""Real worker processes that a test starts, kills and replaces."""

import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.faults.agents import Effects
from tests.support.waiting import until

_BOUND_S = 60.0


class Fleet:
    """The worker processes of one test, all gone when it ends."""

    def __init__(self, address: str, task_queue: str, folder: Path) -> None:
        self.effects = Effects(folder)
        self.task_queue = task_queue
        self._command = [sys.executable, "-m", "tests.faults.worker_main", address, task_queue, str(folder)]
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(self._command)
        self._processes.append(process)
        return process

    async def kill_at(self, point: str) -> None:
        """Start a worker, let it come to `point`, kill it there."""
        self.effects.hold(point)
        process = self.start()
        await until(lambda: self.effects.count(f"started {point}") > 0, f"a worker at {point}")
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
