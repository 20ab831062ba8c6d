"""A server in a process of its own that ends with the tests, however they end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, Self

from spine_temporal.devserver.server import GUARD

_BOUND_S: Final = 60.0
_LOOK_EVERY_S: Final = 0.01


class GuardedServer:
    """A server that can be stopped, then started again at the same place.

    The guard of the dev server stands between it and the tests: it kills the server when they are gone.
    """

    def __init__(self, command: list[str], url: str, log: Path, *, ready: str) -> None:
        self.url = url
        self._command = command
        self._log = log
        self._ready = ready
        self._guard: subprocess.Popen[bytes] | None = None
        self.pid = 0

    def start(self) -> None:
        """Start it unless it runs; on return it serves."""
        if self._guard is not None:
            return
        with self._log.open("ab") as log:
            began = log.tell()
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", str(GUARD), "0", *self._command],
                cwd=self._log.parent,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                start_new_session=True,
            )
        assert self._guard.stdout is not None
        self.pid = int(self._guard.stdout.readline())
        self._until_it_serves(self._guard, began)

    def stop(self) -> None:
        """Have it end in good order, without waiting for its clients; on return it is gone."""
        guard, self._guard = self._guard, None
        if guard is None:
            return
        assert guard.stdin is not None
        assert guard.stdout is not None
        with guard.stdin, guard.stdout:
            if guard.poll() is None:
                os.kill(self.pid, signal.SIGINT)
            try:
                guard.wait(_BOUND_S)
            except subprocess.TimeoutExpired:
                guard.stdin.write(b"k")
                guard.wait()
                raise

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _until_it_serves(self, guard: subprocess.Popen[bytes], began: int) -> None:
        give_up_at_s = time.monotonic() + _BOUND_S
        while self._ready not in (said := self._said_since(began)):
            assert guard.poll() is None, f"it ended while starting:\n{said}"
            assert time.monotonic() < give_up_at_s, f"it does not serve within {_BOUND_S:.0f} s:\n{said}"
            time.sleep(_LOOK_EVERY_S)

    def _said_since(self, began: int) -> str:
        with self._log.open("rb") as log:
            log.seek(began)
            return log.read().decode(errors="replace")
