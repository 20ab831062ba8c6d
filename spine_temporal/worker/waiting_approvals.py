"""The gauges of what waits for people, which a worker sets by asking the server."""

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Sequence
from itertools import count
from types import TracebackType
from typing import Final, Self

from temporalio.client import Client
from temporalio.common import MetricMeter
from temporalio.service import RPCError

from spine_temporal.client.runs import paused_runs
from spine_temporal.client.status import published_status
from spine_temporal.connection.search_attributes import look
from spine_temporal.contracts import metric_names, names
from spine_temporal.errors import SpineTemporalError

_log = logging.getLogger(__name__)

EVERY_S: Final = 30.0
# Beyond so many paused runs, the count and the age are of those that the server lists first.
_MOST: Final = 10_000


class WaitingApprovals:
    """Counts, every half minute, the calls of these agents that wait for a decision, and how long the oldest has.

    One list of the server's per half minute and worker, and no history. All workers of an agent give the same figures:
    take the largest, not the sum. Without the search attributes that `spine-temporal init` creates, nobody can ask for
    what is paused, and there are no figures.
    """

    def __init__(self, client: Client, agents: Sequence[str], meter: MetricMeter) -> None:
        self._client, self._agents = client, agents
        self._waiting = meter.create_gauge(metric_names.APPROVALS_WAITING, "Calls that wait for a decision.")
        self._age = meter.create_gauge_float(
            metric_names.OLDEST_APPROVAL_AGE,
            "How long the call that waits longest for a decision has waited.",
            "seconds",
        )
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, type_: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def look(self) -> None:
        """Set the gauges to what the server knows by now.

        Raises:
            temporalio.service.RPCError, SpineTemporalError: it does not answer, or refuses to.
        """
        attributes = await look(self._client)
        if not {names.STATUS_ATTRIBUTE, names.AGENT_ATTRIBUTE} <= set(attributes.there):
            return
        waiting, oldest_s, numbers = Counter[str](), dict[str, float](), count(1)
        async for info in paused_runs(self._client, agent=None, there=attributes.there):
            record = await published_status(info, self._client.data_converter)
            if record is not None and record.asks and record.agent in self._agents:
                waiting[record.agent] += record.asks
                since_s = record.asked_s or time.time()
                oldest_s[record.agent] = min(since_s, oldest_s.get(record.agent, since_s))
            if next(numbers) >= _MOST:
                break
        now_s = time.time()
        for agent in self._agents:
            label = {metric_names.AGENT: agent}
            self._waiting.set(waiting[agent], label)
            self._age.set(max(0.0, now_s - oldest_s[agent]) if agent in oldest_s else 0.0, label)

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except (RPCError, SpineTemporalError) as error:
                _log.info("what waits for a decision could not be counted: %s", error)
            # Workers that started together are not to ask together.
            await asyncio.sleep(EVERY_S * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
