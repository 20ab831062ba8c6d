"""What worker processes really did: a file with a line for each start or end of a call."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spine_core import Agent, Message, ModelResponse, Provider, Tool
from temporalio import activity

STARTED, FINISHED, FAILED, KILLED = "started", "finished", "failed", "killed"


@dataclass(frozen=True, slots=True)
class Call:
    """One line. `activity` and `attempt` say for which attempt of which activity the call was made."""

    event: str
    activity: str
    attempt: int
    worker: str
    name: str
    at_s: float
    """Unix time."""


class CallLog:
    """Written by several processes at once, at the moment something happens; a killed writer loses no line."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def clear(self) -> None:
        """Begin with an empty file."""
        self.file.write_bytes(b"")

    def lines(self) -> list[Call]:
        """What happened so far."""
        return [Call(**json.loads(line)) for line in self.file.read_text().splitlines()]

    def write(self, event: str, activity_id: str, attempt: int, worker: str, name: str) -> None:
        """Add a line; other processes see it when this returns."""
        line = json.dumps(asdict(Call(event, activity_id, attempt, worker, name, time.time())))
        file = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, f"{line}\n".encode())
        finally:
            os.close(file)

    @contextmanager
    def calling(self, worker: str, name: str) -> Iterator[None]:
        """Write when the body starts, when it ends; to be used inside an activity."""
        info = activity.info()
        self.write(STARTED, info.activity_id, info.attempt, worker, name)
        event = FAILED
        try:
            yield
            event = FINISHED
        finally:
            self.write(event, info.activity_id, info.attempt, worker, name)


def counted(agent: Agent, log: CallLog, worker: str) -> Agent:
    """`agent` with a provider and tools that write into `log`. Its middleware, hence its runs, are as they were."""
    agent.provider = _CountedProvider(agent.provider, log, worker)
    agent.tools = {name: _CountedTool(tool, log, worker) for name, tool in agent.tools.items()}
    return agent


class _CountedProvider:
    def __init__(self, provider: Provider, log: CallLog, worker: str) -> None:
        self._provider, self._log, self._worker = provider, log, worker

    async def complete(
        self, messages: list[Message], tools: list[dict[str, Any]] | None = None, **options: Any
    ) -> ModelResponse:
        with self._log.calling(self._worker, "model"):
            return await self._provider.complete(messages, tools, **options)


class _CountedTool(Tool):
    def __init__(self, tool: Tool, log: CallLog, worker: str) -> None:
        super().__init__(**vars(tool))
        self._log, self._worker = log, worker

    async def call(self, args: dict[str, Any]) -> Any:
        with self._log.calling(self._worker, self.name):
            return await super().call(args)
