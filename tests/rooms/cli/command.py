"""The real command, as a process."""

import asyncio
import codecs
import contextlib
import os
import signal
import sys
from asyncio import FIRST_COMPLETED
from asyncio.subprocess import PIPE, STDOUT, Process
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from temporalio.client import Client

from spine_temporal.client.run_filter import RunFilter
from spine_temporal.client.runs import list_runs
from tests.rooms.cli.forked import forked
from tests.support.waiting import until

PROJECT: Final = Path(__file__).with_name("project")

_COMMAND: Final = str(Path(sys.executable).with_name("spine-temporal"))
_BOUND_S: Final = 180.0


@dataclass(frozen=True)
class Done:
    """What a command that has ended left."""

    code: int
    out: str
    err: str


@dataclass
class Running:
    """A command that goes on; what it writes is gathered line by line."""

    process: Process
    lines: list[str] = field(default_factory=list)

    async def says(self, text: str) -> None:
        """Wait until it has written `text`, on stdout or stderr."""
        assert self.process.stdout is not None
        async with asyncio.timeout(_BOUND_S):
            while not any(text in line for line in self.lines):
                line = await self.process.stdout.readline()
                assert line, f"ended without saying {text!r}: {self.lines}"
                self.lines.append(line.decode())

    async def ended(self, signal: int | None = None) -> int:
        """Its exit code, once it has ended; `signal` is sent to it before."""
        if signal is not None:
            self.process.send_signal(signal)
        assert self.process.stdout is not None
        async with asyncio.timeout(_BOUND_S):
            self.lines += [line.decode() async for line in self.process.stdout]
            return await self.process.wait()


class Talking:
    """A command on a terminal, that reads what is typed."""

    def __init__(self, process: Process, terminal: int) -> None:
        self.process = process
        self.shown = ""
        self._terminal = terminal
        self._read = 0
        self._grown = asyncio.Event()
        # All the time: a terminal that nobody reads stops the program in the end.
        self._reader = asyncio.create_task(self._gather())

    async def shows(self, text: str) -> None:
        """Wait until it shows `text`, behind what was waited for before."""
        async with asyncio.timeout(_BOUND_S):
            while (at := self.shown.find(text, self._read)) < 0:
                assert not self._reader.done(), f"ended without showing {text!r}: {self.shown[self._read :]}"
                self._grown.clear()
                await asyncio.wait([asyncio.create_task(self._grown.wait()), self._reader], return_when=FIRST_COMPLETED)
        self._read = at + len(text)

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._terminal, f"{line}\n".encode())

    def press_ctrl_c(self) -> None:
        """As the terminal does it."""
        self.process.send_signal(signal.SIGINT)

    async def ended(self) -> int:
        """Its exit code, at the end of what is typed."""
        # Of one that has ended by itself nobody reads it any more.
        with contextlib.suppress(OSError):
            os.write(self._terminal, b"\x04")
        async with asyncio.timeout(_BOUND_S):
            await self._reader
            return await self.process.wait()

    async def _gather(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")()
        # Linux says EIO where others say end of file.
        with contextlib.suppress(OSError):
            while part := await asyncio.to_thread(os.read, self._terminal, 65536):
                self.shown += decoder.decode(part)
                self._grown.set()
        os.close(self._terminal)


class CommandLine:
    """`spine-temporal` against one server, on one task queue."""

    def __init__(self, address: str, task_queue: str) -> None:
        self.address = address
        self.queue = ["--task-queue", task_queue]
        self._running: list[Process] = []
        plain = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
        ours = {"TEMPORAL_ADDRESS": address, "COLUMNS": "120", "TERM": "xterm"}
        self._environment = plain | ours

    async def __call__(self, *arguments: str, stdin: str = "", environment: dict[str, str] | None = None) -> Done:
        return Done(*await forked(arguments, self._environment | (environment or {}), stdin, _BOUND_S))

    async def on_terminal(self, *arguments: str, environment: dict[str, str] | None = None) -> str:
        """What the command shows on a terminal, once it has ended."""
        shown, terminal = os.openpty()
        process = await asyncio.create_subprocess_exec(
            _COMMAND, *arguments, env=self._environment | (environment or {}), stdout=terminal, stderr=terminal
        )
        self._running.append(process)
        os.close(terminal)
        async with asyncio.timeout(_BOUND_S):
            text = await asyncio.to_thread(_everything, shown)
            await process.wait()
        return text

    async def start(self, *arguments: str, cwd: Path = PROJECT, environment: dict[str, str] | None = None) -> Running:
        """Start a command that does not end by itself."""
        return Running(await self._spawn(_COMMAND, *arguments, cwd=cwd, environment=environment))

    async def talk(self, *arguments: str) -> "Talking":
        """Start a command that a person talks with, on a terminal."""
        shown, terminal = os.openpty()
        process = await asyncio.create_subprocess_exec(
            _COMMAND,
            *arguments,
            env=self._environment,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
        self._running.append(process)
        os.close(terminal)
        return Talking(process, shown)

    async def start_python(self, code: str, *, cwd: Path) -> Running:
        """Start Python code that does not end by itself."""
        return Running(await self._spawn(sys.executable, "-c", code, cwd=cwd))

    async def _spawn(
        self,
        *command: str,
        cwd: Path | None = None,
        stdin: int | None = None,
        stderr: int = STDOUT,
        environment: dict[str, str] | None = None,
    ) -> Process:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            env=self._environment | (environment or {}),
            stdin=stdin,
            stdout=PIPE,
            stderr=stderr,
        )
        self._running.append(process)
        return process

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._running:
            if process.returncode is None:
                process.kill()
                await process.wait()


def _everything(terminal: int) -> str:
    text = b""
    # Linux says EIO where others say end of file.
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 65536):
            text += part
    os.close(terminal)
    return text.decode()


async def listed(client: Client, session: str, status: str) -> None:
    """Wait until the server's lists, which are a moment behind, have the run in that state."""

    async def is_listed() -> bool:
        return session in await _listed(client, status)

    await until(is_listed, f"{session} among the runs that are {status}")


async def _listed(client: Client, status: str) -> list[str]:
    return [run.id for run in (await list_runs(client, RunFilter(status=status), limit=1000)).runs]
