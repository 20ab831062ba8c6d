"""What it costs the server that many watch one run."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Final

from temporalio.client import Client

from spine_temporal import DurableAgent, Run
from tests.bench import job, ours
from tests.bench.processes import queue_of
from tests.bench.requests import ServerRequests

_READING: Final = ("GetWorkflowExecutionHistory", "PollWorkflowExecutionHistory", "DescribeWorkflowExecution")
_STEPS: Final = 20
_SIZE: Final = 200


@dataclass(frozen=True, slots=True)
class Watched:
    """A run with its watchers, each of whom is told every event."""

    watchers: int
    requests: int
    """Of all of them, for history and status."""


async def watch(client: Client, server_pid: int, *, watchers: int) -> Watched:
    """Have so many watch one run from its beginning to its end."""
    requests = ServerRequests(server_pid)
    durable = DurableAgent(ours.NAME, client, task_queue=queue_of("ours"), session_ttl_s=0)
    before = await requests.settled()
    run = await durable.start(job.question(_STEPS, _SIZE))
    told = await asyncio.gather(*(_told(run) for _ in range(watchers)))
    if len({*told}) != 1 or not told[0]:
        raise RuntimeError(f"{watchers} watchers of one run were told {Counter(told)} events")
    counted = await requests.settled()
    return Watched(watchers, sum(counted[name] - before[name] for name in _READING))


async def _told(run: Run) -> int:
    return len([event async for event in run.events()])
