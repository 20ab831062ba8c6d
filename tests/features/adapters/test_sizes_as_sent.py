"""Sizes are measured as they are sent: after the client's codec."""

import dataclasses
import uuid
from collections.abc import Sequence

import pytest
from spine_core import Agent, StopReason, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import DataConverter, PayloadCodec

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.errors import InputTooLarge

pytestmark = pytest.mark.durable

FITS_ONLY_PLAIN = 1_200_000
DOUBLED = b"binary/doubled"


class Doubling(PayloadCodec):
    """A codec that makes two bytes of one, as hexadecimal text does."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload(metadata={"encoding": DOUBLED}, data=payload.SerializeToString().hex().encode())
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload.FromString(bytes.fromhex(payload.data.decode()))
            if payload.metadata["encoding"] == DOUBLED
            else payload
            for payload in payloads
        ]


@pytest.fixture
async def doubling(client: Client) -> Client:
    converter = dataclasses.replace(DataConverter.default, payload_codec=Doubling())
    return await Client.connect(client.service_client.config.target_host, data_converter=converter)


async def test_a_result_that_the_codec_makes_too_large_is_a_sentence_for_the_model(doubling: Client) -> None:
    made: list[int] = []

    @tool
    async def fetch() -> str:
        """Fetch."""
        made.append(1)
        return "x" * FITS_ONLY_PLAIN

    agent = Agent(ScriptedProvider(calls(("fetch", {})), text("too much")), tools=[fetch])
    queue = f"sizes-{uuid.uuid4().hex}"
    async with AgentWorker(doubling, agents={"agent": agent}, task_queue=queue):
        result = await DurableAgent("agent", doubling, task_queue=queue).run("go")

    assert result.answer == "too much"
    assert "2,400," in str(result.state.messages[-2].content)
    assert made == [1]


async def test_an_answer_that_the_codec_makes_too_large_is_paid_once_and_counted(doubling: Client) -> None:
    provider = ScriptedProvider(text("x" * FITS_ONLY_PLAIN, cost_usd=0.5), text("once more"))
    queue = f"sizes-{uuid.uuid4().hex}"
    async with AgentWorker(doubling, agents={"agent": Agent(provider)}, task_queue=queue):
        result = await DurableAgent("agent", doubling, task_queue=queue).run("go")

    assert result.stopped_reason is StopReason.ERROR
    assert "a Temporal payload holds 2,000,000" in str(result.error)
    assert (len(provider.calls), result.usage.cost_usd) == (1, 0.5)


async def test_an_input_that_the_codec_makes_too_large_starts_nothing(doubling: Client) -> None:
    with pytest.raises(InputTooLarge, match=r"the input has 2,400,\d\d\d bytes as it is sent"):
        await DurableAgent("agent", doubling).start("x" * FITS_ONLY_PLAIN)
