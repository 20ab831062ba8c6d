"""The real Temporal dev server as a managed child process."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Self

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.service import ConnectConfig, RPCError, ServiceClient

from spine_temporal.contracts.search_attributes import TABLE
from spine_temporal.devserver.command import HOST, Port, command_line
from spine_temporal.errors import ServerUnreachable

ATTEMPTS = 3
POLL_S = 0.01
LOG_LINES = 15
GUARD = Path(__file__).with_name("guard.py")


async def is_serving(address: str, timeout_s: float = 1.0, *, namespace: str | None = None) -> bool:
    """Whether a healthy Temporal server, which has `namespace` if given, answers at `address` within `timeout_s`."""
    try:
        async with asyncio.timeout(timeout_s):
            service = await ServiceClient.connect(ConnectConfig(target_host=address))
            healthy = await service.check_health(timeout=timedelta(seconds=timeout_s))
            if healthy and namespace is not None:
                await service.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
            return healthy
    except (RPCError, RuntimeError, TimeoutError, ValueError):  # nothing listens there, or it is no address
        return False


class DevServer:
    """One dev server on a SQLite file; for development and tests, never for production.

    Args:
        database: the SQLite file, made with its folder when missing; the log is `<database>.log`.
        port: gRPC port; a free one when None.
        ui: serve the web UI as well.
        ui_port: port of the UI; a free one when None.
        namespace: created at start, beside `default`.
        search_attributes: name to type, for instance `{"Customer": "Keyword"}`; beside those of `spine-temporal init`,
            which leave room for four more of type Keyword.
        spine_attributes: False leaves those out: a server as it is before `spine-temporal init`.
        dynamic_config: server settings on top of those that make it fast.
        start_timeout_s: how long it may take until it serves.
        stop_timeout_s: how long after SIGTERM it is killed.

    It runs in a session of its own: a Ctrl-C in the terminal reaches the worker only, which needs the server to end
    well. It dies with this process, even when this process is killed. For Linux and macOS.
    """

    def __init__(
        self,
        database: Path,
        *,
        port: int | None = None,
        ui: bool = False,
        ui_port: int | None = None,
        namespace: str = "default",
        search_attributes: Mapping[str, str] | None = None,
        spine_attributes: bool = True,
        dynamic_config: Mapping[str, object] | None = None,
        start_timeout_s: float = 30.0,
        stop_timeout_s: float = 10.0,
    ) -> None:
        self.database = database.absolute()
        self.log_file = self.database.with_name(f"{self.database.name}.log")
        self.namespace = namespace
        self._wanted_port, self._wanted_ui_port, self._ui = port, ui_port, ui
        ours = {each.name: each.type for each in TABLE} if spine_attributes else {}
        self._search_attributes = {**ours, **(search_attributes or {})}
        self._dynamic_config = dict(dynamic_config or {})
        self._start_timeout_s, self._stop_timeout_s = start_timeout_s, stop_timeout_s
        self._port: Port | None = None
        self._ui_port: Port | None = None
        self._child: _Child | None = None

    @property
    def address(self) -> str:
        """Where clients connect, such as `127.0.0.1:7233`; the same after a restart."""
        return f"{HOST}:{self._reserved.number}"

    @property
    def ui_address(self) -> str | None:
        """The URL of the web UI, or None without one."""
        return None if self._ui_port is None else f"http://{HOST}:{self._ui_port.number}"

    @property
    def pid(self) -> int | None:
        """The process id of the server itself, or None when it is not running."""
        return self._child.pid if self._child is not None and self._child.exit_code is None else None

    async def start(self) -> None:
        """Start it; on return it serves.

        Raises:
            MissingExtra: the `temporal` binary is not installed.
            ServerUnreachable: the port or the database is taken, or the server does not come up (with its last words).
        """
        if self._port is not None:
            raise ServerUnreachable(f"This dev server was started already, at {self.address}: stop() or restart() it.")
        # It chooses more ports by itself, and may lose any of them to another process: hence more than one try.
        for more in reversed(range(ATTEMPTS)):
            try:
                self._port = Port(self._wanted_port)
                self._ui_port = Port(self._wanted_ui_port) if self._ui else None
                if await self._comes_up(more=more > 0):
                    return
            finally:
                if self._child is None:
                    self._release_ports()

    async def restart(self) -> None:
        """Start it again on the same file and ports, stopping it first when it runs; on return it serves."""
        await self._end()
        for more in reversed(range(ATTEMPTS)):
            if await self._comes_up(more=more > 0):
                return

    async def stop(self) -> None:
        """End it by SIGTERM, by SIGKILL after `stop_timeout_s`; on return it is gone. May be called again."""
        try:
            await self._end()
        finally:
            self._release_ports()

    async def kill(self) -> None:
        """End it by SIGKILL, as a crash would; on return it is gone. Its ports stay reserved for it until stop()."""
        await self._end(at_once=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def _reserved(self) -> Port:
        if self._port is None:
            raise ServerUnreachable("This dev server has no address: it was not started, or was stopped.")
        return self._port

    def _release_ports(self) -> None:
        for port in (self._port, self._ui_port):
            if port is not None:
                port.release()
        self._port = self._ui_port = None

    async def _end(self, *, at_once: bool = False) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.end(0.0 if at_once else self._stop_timeout_s)

    async def _comes_up(self, *, more: bool) -> bool:
        """Whether it serves; False when it died on the way and `more` tries are left."""
        command = command_line(
            self.database,
            port=self._reserved.number,
            ui_port=self._ui_port.number if self._ui_port else None,
            namespace=self.namespace,
            search_attributes=self._search_attributes,
            dynamic_config=self._dynamic_config,
        )
        child = _Child(command, self.log_file, self._stop_timeout_s)
        try:
            async with asyncio.timeout(self._start_timeout_s):
                await child.started()
                while child.exit_code is None:
                    # Asked in this order: a foreign server may answer while ours is dying because the port is taken.
                    if await is_serving(self.address, namespace=self.namespace) and child.exit_code is None:
                        self._child = child
                        return True
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise self._failure(child, f"did not serve within {self._start_timeout_s} s") from None
        finally:
            if self._child is not child:
                child.slay()
        if child.exit_code == os.EX_TEMPFAIL:
            raise ServerUnreachable(f"Another dev server is running on {self.database}: stop it, or use another file.")
        if not more:
            raise self._failure(child, "ended while starting")
        return False

    def _failure(self, child: "_Child", what: str) -> ServerUnreachable:
        return ServerUnreachable(f"The dev server {what}. The end of {self.log_file}:\n{child.log_tail()}")


class _Child:
    """The owner's side of the guard: everything here belongs to one life of the server."""

    def __init__(self, command: list[str], log_file: Path, grace_s: float) -> None:
        self.pid: int | None = None
        self._log_file = log_file
        log_file.parent.mkdir(parents=True, exist_ok=True)
        with log_file.open("ab") as log:
            self._log_start = log.tell()
            # Not asyncio's own subprocesses: those belong to one event loop, and a server may outlive its first loop.
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", str(GUARD), str(grace_s), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                start_new_session=True,
            )

    @property
    def exit_code(self) -> int | None:
        """None while it lives."""
        return self._guard.poll()

    async def started(self) -> None:
        """Wait until the guard has started the server, or given up."""
        assert self._guard.stdout is not None  # noqa: S101
        line = await asyncio.to_thread(self._guard.stdout.readline)
        self.pid = int(line) if line else None

    async def end(self, grace_s: float) -> None:
        """End the server, on return both processes are gone; it is asked first if `grace_s` is given."""
        assert self._guard.stdin is not None  # noqa: S101
        try:
            with suppress(BrokenPipeError, TimeoutError):
                self._guard.stdin.write(b"t" if grace_s else b"k")
                async with asyncio.timeout(grace_s + 5.0):
                    while self.exit_code is None:
                        await asyncio.sleep(POLL_S)
        finally:
            self.slay()

    def slay(self) -> None:
        """Kill what is left of the two, without waiting for anything but the system."""
        if self._guard.poll() is None:
            os.killpg(self._guard.pid, signal.SIGKILL)  # the guard leads the group that the server is in
            self._guard.wait()
        for pipe in (self._guard.stdin, self._guard.stdout):
            if pipe is not None:
                pipe.close()

    def log_tail(self) -> str:
        """The last lines of this life, without the stacks of a crash."""
        with self._log_file.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(self._log_start if self._log_start <= size else 0)
            text = log.read().decode(errors="replace").partition("\ngoroutine ")[0]
        return "\n".join(text.strip().splitlines()[-LOG_LINES:])
