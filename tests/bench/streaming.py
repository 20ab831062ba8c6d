"""An answer of 500 tokens, read along: by heartbeats, by Temporal's workflow streams, or not at all."""

import statistics
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from temporalio.client import Client
from temporalio.contrib.workflow_streams import WorkflowStreamClient

from spine_temporal import DurableAgent
from tests.bench.processes import queue_of
from tests.bench.streamers import NAME, TOPIC
from tests.bench.weighing import histories_of, weigh


@dataclass(frozen=True, slots=True)
class Streamed:
    """What it took to read the answer along."""

    way: str
    lag_s: float
    """From the moment in which a token was written until it was read; the median of all tokens."""
    worst_lag_s: float
    events: int
    """In the history, when the run was over."""
    history_bytes: int
    tokens: int


async def read_along(client: Client) -> list[Streamed]:
    """By each way, once."""
    durable = DurableAgent(NAME, client, task_queue=queue_of("ours"), session_ttl_s=0)
    run = await durable.start("write", tokens=True)
    reading = (event.data["delta"] async for event in run.events(tokens=True) if event.type == "token")
    ours = await _read(client, "heartbeats", run.workflow_id, reading)
    unread = await durable.start("write")
    await unread.result()
    alone = await _weighed(client, "not read along", unread.workflow_id, [])
    id_ = f"streams-{uuid.uuid4().hex}"
    await client.start_workflow("bench.streams", id=id_, task_queue=queue_of("streams"))
    stream = WorkflowStreamClient.create(client, id_)
    published = (item.data async for item in stream.subscribe(TOPIC, result_type=str))
    return [ours, alone, await _read(client, "workflow streams", id_, published)]


async def _read(client: Client, way: str, workflow_id: str, deltas: AsyncIterator[str]) -> Streamed:
    lags_s, rest = list[float](), ""
    async for delta in deltas:
        now_s = time.time()
        *whole, rest = (rest + delta).split(" ")
        lags_s += [now_s - float(token) for token in whole]
    return await _weighed(client, way, workflow_id, lags_s)


async def _weighed(client: Client, way: str, workflow_id: str, lags_s: list[float]) -> Streamed:
    handle = client.get_workflow_handle(workflow_id)
    await handle.result()
    weight = weigh(await histories_of(client, workflow_id, (await handle.describe()).run_id))
    read = (statistics.median(lags_s), max(lags_s)) if lags_s else (0.0, 0.0)
    return Streamed(way, *read, events=weight.events, history_bytes=weight.history_bytes, tokens=len(lags_s))


def of_way(streamed: Iterable[Streamed], way: str) -> Streamed:
    """The one that was read in that way."""
    return next(each for each in streamed if each.way == way)
