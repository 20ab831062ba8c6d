"""How long a tenant waits for its first step behind another one's queue."""

import asyncio
import statistics
import time
import uuid
from dataclasses import dataclass
from typing import Any, Final

from spine_core import RunStatus
from temporalio.client import Client

from spine_temporal import DurableAgent, Run
from spine_temporal.testing import dev_server
from tests.bench.processes import queue_of, worker_process
from tests.bench.talking import PATIENT

_SLOTS: Final[dict[str, Any]] = {"max_concurrent_activities": 20}
_AT_ONCE: Final = 50
_ASKS: Final = 5


@dataclass(frozen=True, slots=True)
class Fair:
    """Two workers, whose model takes a second."""

    queued: int
    """Runs of the other tenant that wait."""
    left: int
    """Of these, those that had not ended when the last figure was taken."""
    alone_s: float
    """A run of one step, when nothing else is there; the median."""
    behind_s: float
    """The same behind the other tenant's runs."""

    @property
    def ratio(self) -> float:
        """How much longer."""
        return self.behind_s / self.alone_s


async def share_out(*, queued: int) -> Fair:
    """Have one tenant queue so many runs, and another one ask."""
    async with (
        dev_server(dynamic_config={"matching.enableFairness": True}) as server,
        worker_process("ours", server.address, **_SLOTS),
        worker_process("ours", server.address, **_SLOTS),
    ):
        small, large = (_durable(server.client, tenant) for tenant in ("small", "large"))
        await _asked_s(small)
        alone_s = [await _asked_s(small) for _ in range(_ASKS)]
        runs = await _start(large, queued)
        behind_s = [await _asked_s(small) for _ in range(_ASKS)]
        # The newest were queued last.
        left = sum([(await run.state()).status is not RunStatus.DONE for run in runs[:: max(1, queued // 20)]])
        return Fair(queued, left * max(1, queued // 20), statistics.median(alone_s), statistics.median(behind_s))


def _durable(client: Client, tenant: str) -> DurableAgent:
    return DurableAgent(PATIENT, client, task_queue=queue_of("ours"), tenant_id=tenant, session_ttl_s=0)


async def _start(durable: DurableAgent, queued: int) -> list[Run]:
    runs = list[Run]()
    while len(runs) < queued:
        some = min(_AT_ONCE, queued - len(runs))
        runs += await asyncio.gather(*(durable.start(uuid.uuid4().hex) for _ in range(some)))
    return runs


async def _asked_s(durable: DurableAgent) -> float:
    began_s = time.perf_counter()
    await durable.run("now")
    return time.perf_counter() - began_s
