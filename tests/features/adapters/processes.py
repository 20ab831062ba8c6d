"""Workers and MCP servers as processes that a test starts and kills."""

import asyncio
import os
import socket
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Self

import psutil
from spine_core import Result
from temporalio.client import Client

from spine_temporal import DurableAgent
from tests.features.adapters.agents import SERVER
from tests.support.ports import free_port
from tests.support.waiting import until


def is_alive(pid: int) -> bool:
    """Whether that process runs; one that has ended and is not waited for yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Stage:
    """The processes of one test, all gone when it ends."""

    def __init__(self, client: Client, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.task_queue = f"adapters-{uuid.uuid4().hex}"
        self.port = free_port()
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        """Where the MCP server is, once it is started."""
        return f"http://127.0.0.1:{self.port}/mcp"

    def worker(self) -> subprocess.Popen[bytes]:
        address = self.client.service_client.config.target_host
        return self._start(
            "-m", "tests.features.adapters.worker_main", address, self.task_queue, str(self.folder), self.url
        )

    async def server(self, **environment: str) -> subprocess.Popen[bytes]:
        process = self._start(str(SERVER), "http", str(self.folder), str(self.port), **environment)
        await until(lambda: _answers(self.port), "the MCP server")
        return process

    def agent(self, name: str) -> DurableAgent:
        return DurableAgent(name, self.client, task_queue=self.task_queue)

    async def run(self, name: str, said: str) -> Result:
        return await self.agent(name).run(said)

    def _start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, *arguments], env=os.environ | environment)
        self._processes.append(process)
        return process

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            await asyncio.to_thread(process.wait)


def _answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0
