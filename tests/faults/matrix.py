"""The fault matrix: a run of each kind, struck at every RPC that its worker makes."""

import os
import random
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final, Literal

from temporalio.api.workflowservice.v1 import PollActivityTaskQueueResponse, PollWorkflowTaskQueueResponse

from tests.support.soak import IS_SOAK

type Way = Literal["before", "after", "lost", "dropped"]

POLLS: Final[dict[str, Any]] = {
    "PollWorkflowTaskQueue": PollWorkflowTaskQueueResponse,
    "PollActivityTaskQueue": PollActivityTaskQueueResponse,
}
# A worker connects with these; where one fails, its process ends, and whoever runs it starts it again.
CONNECTING: Final = ("GetSystemInfo", "DescribeNamespace")
KINDS: Final = ("single", "parallel", "gated", "delegating", "beating", "once", "local")


@dataclass(frozen=True)
class Scenario:
    """A kind of run on a kind of worker."""

    kind: str
    cached: bool
    eager: bool

    def __str__(self) -> str:
        return f"{self.kind}-{'cached' if self.cached else 'uncached'}-{'eager' if self.eager else 'polled'}"

    @property
    def options(self) -> dict[str, object]:
        """What makes a worker one of this kind."""
        uncached: dict[str, object] = {} if self.cached else {"max_cached_workflows": 0}
        return uncached if self.eager else uncached | {"disable_eager_activity_execution": True}


# The commit suite strikes some scenarios twice; `make soak` strikes all of them at every boundary.
STRIKES: Final = os.environ.get("FAULT_STRIKES", "1")
SCENARIOS: Final = tuple(
    Scenario(kind, cached, eager)
    for kind in KINDS
    for cached in (True, False)
    for eager in (True, False)
    if IS_SOAK or "FAULT_ONLY" in os.environ or cached == eager
)


@dataclass(frozen=True)
class Boundary:
    """Where a fault is injected, and how.

    - before: the worker is killed, the call has not been made
    - after: the worker is killed once it has the reply
    - lost: the call is made, then the worker is killed, without the reply
    - dropped: the call is made, the worker lives on and has an error for a reply

    The number counts the calls of that method. Of polls, it counts those that brought a task, but for `before`.
    """

    method: str
    number: int
    way: Way

    def __str__(self) -> str:
        return f"{self.method}.{self.number}.{self.way}"


def brings_task(method: str, reply: bytes) -> bool:
    """Whether the reply to a poll holds a task."""
    return bool(POLLS[method].FromString(reply).task_token)


def boundaries(calls: Counter[str], tasks: Counter[str]) -> list[Boundary]:
    """All boundaries of a run that made so many calls of each method, and was given so many tasks."""
    found = list[Boundary]()
    for method, number in sorted(calls.items()):
        found += [Boundary(method, n, "before") for n in range(1, number + 1)]
        replies = tasks[method] if method in POLLS else number
        ways: tuple[Way, ...] = ("after", "lost") if method in CONNECTING else ("after", "lost", "dropped")
        found += [Boundary(method, n, way) for n in range(1, replies + 1) for way in ways]
    return found


def sample(found: list[Boundary], few: int, seed: str) -> list[Boundary]:
    """So many of them, the same ones for the same seed; each way as often as the others."""
    chooser = random.Random(seed)
    shuffled = chooser.sample(found, len(found))
    ways = Counter[str]()
    ranked = list[tuple[int, int]]()
    for at, boundary in enumerate(shuffled):
        ranked.append((ways[boundary.way], at))
        ways[boundary.way] += 1
    return [shuffled[at] for _, at in sorted(ranked)[:few]]
