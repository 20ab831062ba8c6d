"""A worker process as an orchestrator runs it, and what an HTTP client is answered by it."""

import asyncio
import http.client
import json
import os
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from tests.deploy.repository import ROOT
from tests.support.ports import free_port
from tests.support.waiting import until


class WorkerProcess:
    """One file of `workers/`, as a process; what it writes is gathered."""

    def __init__(self, process: Process, port: int) -> None:
        self.process, self.port = process, port
        self.lines: list[str] = []
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, file: str, settings: Mapping[str, str]) -> Self:
        """Start it with these variables, and an address for health checks."""
        port = free_port()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SPINE_TEMPORAL_")}
        environment |= {"SPINE_TEMPORAL_HEALTH_ADDRESS": f"127.0.0.1:{port}", **settings}
        path = ROOT / "workers" / file
        process = await asyncio.create_subprocess_exec(
            sys.executable, path, env=environment, stdout=PIPE, stderr=STDOUT
        )
        return cls(process, port)

    async def get(self, path: str, *, timeout_s: float = 20.0) -> tuple[int, Any]:
        """Status and content of an answer; status 0 while nobody answers, or not in time."""
        return await asyncio.to_thread(get, self.port, path, timeout_s)

    async def answers(self, path: str, status: int) -> Any:
        """Wait until that path is answered with that status; the content."""

        async def asked() -> tuple[Any] | None:
            assert self.process.returncode is None, self.lines
            found, content = await self.get(path)
            return (content,) if found == status else None

        return (await until(asked, f"{status} from {path}"))[0]

    async def says(self, text: str) -> None:
        """Wait until it has written `text`."""
        await until(lambda: any(text in line for line in self.lines), f"{text!r} in what the worker writes")

    async def ended(self) -> int:
        """Wait for its end; the exit code."""
        async with asyncio.timeout(120):
            await self._reading
            return await self.process.wait()

    async def kill(self) -> None:
        """It is gone, whatever it did."""
        if self.process.returncode is None:
            self.process.kill()
        await self._reading
        await self.process.wait()

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line.decode())


def get(port: int, path: str, timeout_s: float = 20.0) -> tuple[int, Any]:
    """Status and content of an answer; status 0 while nobody answers, or not in time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode()
    except OSError:
        return 0, None
    finally:
        connection.close()
    is_json = response.headers["Content-Type"] == "application/json"
    return response.status, json.loads(body) if is_json else body


def write_agents(folder: Path, code: str) -> Path:
    """A project with one module of agents."""
    (folder / "agents").mkdir(parents=True)
    (folder / "agents" / "served.py").write_text(code)
    return folder
