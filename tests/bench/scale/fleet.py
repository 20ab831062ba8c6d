"""The worker processes, replaced one after the other."""

import asyncio
import itertools
import os
import signal
import sys
from asyncio.subprocess import Process
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

from spine_temporal.testing.server import TestServer
from tests.bench.environments import ROOT
from tests.support.waiting import until

TASK_QUEUE = "scale"


def cpu_s(pid: int) -> float:
    """What a process has spent, in the system too."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


class Fleet:
    """So many workers; `roll` replaces the one that has worked longest."""

    def __init__(self, server: TestServer, folder: Path, workers: int) -> None:
        self.effects = folder / "effects.txt"
        self.effects.touch()
        self._server, self._workers = server, workers
        self._log = (folder / "workers.log").open("w")
        self._numbers = itertools.count(1)
        self._processes: list[Process] = []

    async def __aenter__(self) -> Self:
        for _ in range(self._workers):
            await self._start()
        return self

    async def __aexit__(
        self, type_: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
            await process.wait()
        self._log.close()

    async def roll(self) -> int:
        """Start a new worker, then end the oldest one as an orchestrator does; its exit code."""
        await self._start()
        oldest = self._processes.pop(0)
        oldest.send_signal(signal.SIGTERM)
        return await oldest.wait()

    @property
    def memory_bytes(self) -> int:
        """The most that one of them holds."""
        return max(int(psutil.Process(process.pid).memory_info().rss) for process in self._processes)

    @property
    def cpu_s(self) -> float:
        """What those that work now have spent since they began."""
        return sum(cpu_s(process.pid) for process in self._processes)

    async def _start(self) -> None:
        number = next(self._numbers)
        command = ["-m", "tests.bench.scale.serving", self._server.address, TASK_QUEUE, self.effects, str(number)]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *map(str, command), cwd=ROOT, env={**os.environ}, stderr=self._log
        )
        self._processes.append(process)
        await until(lambda: self._polls(f"scale-{number}"), f"worker {number}")

    async def _polls(self, identity: str) -> bool:
        described = await self._server.client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace="default",
                task_queue=TaskQueue(name=TASK_QUEUE),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            )
        )
        return any(poller.identity == identity for poller in described.pollers)
