"""A payload codec of the user's covers everything a run writes, and nothing reads differently for it."""

import dataclasses
import uuid
import zlib
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
import pytest_asyncio
from spine_core import Result
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import PayloadCodec

from spine_temporal import AgentWorker, DurableAgent, Run
from tests.replay.runs import Recorded, cancelled, guard_trip, tools
from tests.replay.stored import folded
from tests.support.harness import assert_same, history_of, replay_in_sandbox

pytestmark = pytest.mark.durable


class Packed(PayloadCodec):
    """Payloads compressed by zlib, metadata and all: what a server keeps of them says nothing."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload(metadata={"encoding": b"binary/zlib"}, data=zlib.compress(payload.SerializeToString()))
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload.FromString(zlib.decompress(payload.data))
            if payload.metadata["encoding"] == b"binary/zlib"
            else payload
            for payload in payloads
        ]


CONVERTER = dataclasses.replace(pydantic_data_converter, payload_codec=Packed())


@pytest_asyncio.fixture
async def packing(client: Client) -> AsyncIterator[Client]:
    """A client of the same server that has the codec."""
    address = client.service_client.config.target_host
    yield await Client.connect(address, data_converter=CONVERTER)


async def done(client: Client, recorded: Recorded, session_id: str, cache_bytes: int = 0) -> tuple[Run, Result]:
    """A run from its start to its end, its caller and its worker on that client."""
    queue = f"test-{uuid.uuid4().hex}"
    async with AgentWorker(client, agents={"agent": recorded.agent}, task_queue=queue, cache_bytes=cache_bytes):
        run = await DurableAgent("agent", client, task_queue=queue).start("count the otters", session_id=session_id)
        await recorded.meanwhile(run)
        return run, await run.result()


def seen_on_disk(history: WorkflowHistory) -> list[str]:
    """What somebody who reads the server's disk learns of the conversation."""
    events = b"".join(event.SerializeToString() for event in history.events)
    return [text for text in ("count the otters", "assistant", "call_0") if text.encode() in events]


@pytest.mark.parametrize("cache_bytes", [1_000_000, 0], ids=["cached", "read from history"])
@pytest.mark.parametrize("make", [tools, guard_trip, cancelled])
async def test_run_through_a_codec_is_the_run_without(
    client: Client, packing: Client, make: Callable[[], Recorded], cache_bytes: int
) -> None:
    plain_run, plain = await done(client, make(), f"plain-{uuid.uuid4().hex}", cache_bytes=cache_bytes)
    packed_run, packed = await done(packing, make(), f"packed-{uuid.uuid4().hex}", cache_bytes=cache_bytes)

    assert_same(packed, plain)
    history = await history_of(packing, packed_run)
    assert_same(await folded(history, CONVERTER), plain)
    assert seen_on_disk(await history_of(client, plain_run)) == ["count the otters", "assistant", "call_0"]
    assert seen_on_disk(history) == []


async def test_history_through_a_codec_replays(packing: Client) -> None:
    run, _ = await done(packing, tools(), f"packed-{uuid.uuid4().hex}")

    await replay_in_sandbox(await history_of(packing, run), converter=CONVERTER)
