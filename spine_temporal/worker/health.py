"""What a worker process knows of its own health, for whichever thread asks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from temporalio.client import Client

from spine_temporal.worker.worker import AgentWorker

LOOP_HELD_S: Final = 30.0
"""A tool that holds the event loop for so long fails `/livez`: an orchestrator then starts another process."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP client gets."""

    status: int
    body: bytes
    content_type: str = "application/json"

    @classmethod
    def json(cls, status: int, content: Mapping[str, Any]) -> Self:
        """That content, as JSON."""
        return cls(status, json.dumps(content).encode() + b"\n")

    @classmethod
    def ok(cls, **more: Any) -> Self:
        """All is well."""
        return cls.json(200, {"status": "ok", **more})

    @classmethod
    def unavailable(cls, reason: str) -> Self:
        """It is not, for that reason."""
        return cls.json(503, {"status": "unavailable", "reason": reason})


class Health:
    """Begins as the health of a process that starts; `serving` and `draining` say how it goes on."""

    def __init__(self, *, loop_held_s: float = LOOP_HELD_S) -> None:
        self._loop_held_s = loop_held_s
        self._worker: AgentWorker | None = None
        self._draining = False

    def serving(self, worker: AgentWorker) -> None:
        """The process now runs that worker."""
        self._worker = worker

    def draining(self) -> None:
        """The process was asked to end: it finishes what it has in hand."""
        self._draining = True

    def client(self) -> Client | None:
        """What the worker is connected by; None: it is not yet."""
        return self._worker.client if self._worker is not None else None

    def livez(self) -> Answer:
        """Whether the process should go on: the event loop turns, the worker runs. The server's health is not asked."""
        worker = self._worker
        if worker is None:
            return Answer.ok(phase="starting")
        age_s = worker.plugin.loop_age_s()
        if age_s > self._loop_held_s:
            return Answer.unavailable(
                f"the event loop has not turned for {age_s:.0f} s; the log names the tool or hook that holds it"
            )
        if worker.has_stopped:
            return Answer.unavailable("the worker has stopped")
        return Answer.ok(phase="draining" if self._draining else "serving")

    def readyz(self) -> Answer:
        """Whether it is connected and polls, as far as it knows; not while it starts, and not once it is to end."""
        worker = self._worker
        if self._draining:
            return Answer.unavailable("it finishes what it has in hand, and takes nothing new")
        if worker is None or not worker.plugin.has_polled():
            return Answer.unavailable("it starts, and has not polled yet")
        if worker.has_stopped:
            return Answer.unavailable("the worker has stopped")
        return Answer.ok(agents=worker.agents, task_queue=worker.task_queue)
