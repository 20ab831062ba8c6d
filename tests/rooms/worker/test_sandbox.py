"""The sandbox asks where a payload belongs only for those who want to know."""

import dataclasses
import uuid
from collections.abc import Sequence
from typing import Self

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import (
    DataConverter,
    ExternalStorage,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from spine_temporal import AgentWorker, DurableAgent, SpinePlugin
from spine_temporal.worker.sandbox import LeanSandbox, for_client, sandbox
from tests.rooms.history.test_fold_codec import Packed
from tests.support.agents_at_hand import adding_agent


class Curious(PayloadCodec, WithSerializationContext):
    """A codec that is told where each payload belongs."""

    def __init__(self, told: list[SerializationContext | None], context: SerializationContext | None = None) -> None:
        self._told = told
        self._context = context

    def with_context(self, context: SerializationContext) -> Self:
        return type(self)(self._told, context)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        self._told.append(self._context)
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)


class OwnSandbox(SandboxedWorkflowRunner):
    """A host's own."""


PLAIN = DataConverter.default
PACKED = dataclasses.replace(PLAIN, payload_codec=Packed())
CURIOUS = dataclasses.replace(PLAIN, payload_codec=Curious([]))
STORED = dataclasses.replace(PLAIN, external_storage=ExternalStorage.__new__(ExternalStorage))


@pytest.mark.parametrize(
    ("converter", "lean"),
    [(PLAIN, True), (PACKED, True), (CURIOUS, False), (STORED, False)],
    ids=["no codec", "a codec", "a codec that is told the context", "external storage"],
)
def test_it_is_lean_where_nobody_wants_to_know(converter: DataConverter, lean: bool) -> None:
    given = sandbox(None)

    made = for_client(given, converter)

    assert isinstance(made, SandboxedWorkflowRunner)
    assert isinstance(made, LeanSandbox) is lean
    assert made.restrictions.passthrough_modules >= {"spine_core", "spine_temporal.journal"}
    assert "spine_temporal" not in made.restrictions.passthrough_modules


@pytest.mark.parametrize(("converter", "lean"), [(PLAIN, True), (CURIOUS, False)])
def test_so_it_is_where_histories_are_replayed(converter: DataConverter, lean: bool) -> None:
    replayer = Replayer(workflows=[], plugins=[SpinePlugin([])], data_converter=converter)

    assert isinstance(replayer.config(active_config=True)["workflow_runner"], LeanSandbox) is lean


@pytest.mark.parametrize("runner", [UnsandboxedWorkflowRunner(), OwnSandbox()], ids=["none", "of the host's own"])
def test_a_hosts_own_runner_stays_what_it_is(runner: UnsandboxedWorkflowRunner | OwnSandbox) -> None:
    assert type(for_client(sandbox(runner), PLAIN)) is type(runner)


@pytest.mark.durable
@pytest.mark.parametrize("curious", [True, False])
async def test_agents_run_with_codecs_of_either_kind(client: Client, curious: bool) -> None:
    told: list[SerializationContext | None] = []
    codec = Curious(told) if curious else Packed()
    converter = dataclasses.replace(DataConverter.default, payload_codec=codec)
    theirs = await Client.connect(client.service_client.config.target_host, data_converter=converter)
    queue = f"sandbox-{uuid.uuid4().hex}"
    async with AgentWorker(theirs, agents=[adding_agent()], task_queue=queue):
        result = await DurableAgent("assistant", theirs, task_queue=queue).run("1 + 2?")

    assert result.answer == "3"
    assert any(isinstance(context, WorkflowSerializationContext) for context in told) is curious
