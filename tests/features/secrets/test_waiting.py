"""Whatever is wrong with keys and codecs, work waits and says so; no run fails, nothing is done twice."""

import contextlib
import dataclasses
import uuid
from pathlib import Path
from typing import Any

import pytest
from spine_core import Agent, Message, ModelResponse
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.converter import DataConverter
from temporalio.service import RPCError

from spine_temporal import ActivityPolicy, AgentWorker, DurableAgent, Run
from spine_temporal.contracts import names
from spine_temporal.encryption import KeyFile, KeyRing, encrypted, new_key
from tests.features.secrets.conftest import Connect
from tests.features.secrets.outages import FarCodec, Paying, written
from tests.features.secrets.own_activity import Shouting, shout
from tests.support.agents_at_hand import adding_agent
from tests.support.harness import history_of, replay
from tests.support.waiting import until

pytestmark = pytest.mark.durable

NOBODYS_FAULT = ActivityPolicy(attempts=1, heartbeat_s=1.0)
"""Whatever counted as an attempt would end the run."""


def queue_name() -> str:
    return f"test-{uuid.uuid4().hex}"


async def is_open(run: Run, client: Client) -> bool:
    described = await client.get_workflow_handle(run.workflow_id).describe()
    return described.status == WorkflowExecutionStatus.RUNNING


async def postponed(client: Client, run: Run) -> str | None:
    """How the last attempt of an activity of the run failed; None: none has."""
    described = await client.get_workflow_handle(run.workflow_id).describe()
    for pending in described.raw_description.pending_activities:
        if pending.last_failure.application_failure_info.type == names.CODEC_AWAY and pending.attempt > 2:
            return str(pending.last_failure.message)
    return None


async def test_worker_without_the_codec_leaves_the_run_to_one_that_has_it(
    client: Client, sealed: Client, caplog: pytest.LogCaptureFixture
) -> None:
    queue = queue_name()
    run = await DurableAgent("assistant", sealed, task_queue=queue).start("add")
    async with AgentWorker(client, agents=[adding_agent()], task_queue=queue):
        await until(lambda: "no codec here that reads it" in caplog.text, "an alert")
        assert await is_open(run, client)
    async with AgentWorker(sealed, agents=[adding_agent()], task_queue=queue):
        assert (await run.result()).answer == "3"


async def test_activity_that_comes_to_a_worker_without_the_codec_waits_for_one_that_has_it(
    client: Client, sealed: Client, caplog: pytest.LogCaptureFixture
) -> None:
    queue, elsewhere = queue_name(), queue_name()
    policy = NOBODYS_FAULT.model_copy(update={"task_queue": elsewhere})
    async with AgentWorker(sealed, agents=[adding_agent()], task_queue=queue, step_policy=policy):
        run = await DurableAgent("assistant", sealed, task_queue=queue).start("add")
        async with AgentWorker(client, agents=[adding_agent()], task_queue=elsewhere):
            why = await until(lambda: postponed(sealed, run), "two attempts that were postponed")
        async with AgentWorker(sealed, agents=[adding_agent()], task_queue=elsewhere):
            result = await run.result()

    assert "no codec here that reads it" in str(why)
    assert "SPINE_TEMPORAL_KEYS" in caplog.text
    assert result.answer == "3"


async def test_key_that_is_missing_is_waited_for_and_noticed_without_a_restart(
    client: Client, connected: Connect, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    queue, elsewhere = queue_name(), queue_name()
    old, new = new_key("old"), new_key("new")
    rotated, behind = tmp_path / "rotated", tmp_path / "behind"
    written(rotated, new, old)
    written(behind, old)
    up_to_date, late = (connected(encrypted(KeyFile(path), client.namespace)) for path in (rotated, behind))
    policy = NOBODYS_FAULT.model_copy(update={"task_queue": elsewhere})
    async with (
        AgentWorker(up_to_date, agents=[adding_agent()], task_queue=queue, step_policy=policy),
        AgentWorker(late, agents=[adding_agent()], task_queue=elsewhere),
    ):
        run = await DurableAgent("assistant", up_to_date, task_queue=queue).start("add")
        why = await until(lambda: postponed(up_to_date, run), "two attempts that were postponed")
        written(behind, old, new)
        result = await run.result()

    assert "encrypted with key 'new'" in str(why)
    assert "'new'" in caplog.text
    assert result.answer == "3"


async def test_attempts_of_before_are_counted_and_those_without_the_key_are_not(
    client: Client, connected: Connect, tmp_path: Path
) -> None:
    queue, elsewhere = queue_name(), queue_name()
    old, new = new_key("old"), new_key("new")
    rotated, behind = tmp_path / "rotated", tmp_path / "behind"
    written(rotated, new, old)
    written(behind, old)
    up_to_date, late = (connected(encrypted(KeyFile(path), client.namespace)) for path in (rotated, behind))
    asked = list[int]()

    class Moody:
        async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
            asked.append(1)
            raise ConnectionError("nobody there")

    agent = Agent(Moody(), name="moody")
    policy = ActivityPolicy(attempts=3, heartbeat_s=1.0, retry_first_s=1.0, task_queue=elsewhere)
    async with AgentWorker(up_to_date, agents=[agent], task_queue=queue, step_policy=policy):
        run = await DurableAgent("moody", up_to_date, task_queue=queue).start("go")
        async with AgentWorker(up_to_date, agents=[agent], task_queue=elsewhere):
            await until(lambda: len(asked) == 2, "two attempts")
        async with AgentWorker(late, agents=[agent], task_queue=elsewhere):
            await until(lambda: postponed(up_to_date, run), "attempts that were postponed")
            written(behind, old, new)
            result = await run.result()

    assert len(asked) == 3
    assert "nobody there" in str(result.error)


async def test_rotation_in_the_middle_of_a_run_and_its_history_still_replays(
    client: Client, connected: Connect, tmp_path: Path
) -> None:
    queue, keys, paying = queue_name(), tmp_path / "keys", Paying()
    old, new = new_key("old"), new_key("new")
    written(keys, old)
    sealed = connected(encrypted(KeyFile(keys), client.namespace))
    async with AgentWorker(sealed, agents=[paying.agent], task_queue=queue, max_cached_workflows=0):
        run = await DurableAgent("payer", sealed, task_queue=queue).start("pay")
        await paying.gate.begun.wait()
        written(keys, new, old)
        paying.gate.open.set()
        result = await run.result()

    history = await history_of(sealed, run)
    raw = b"".join(event.SerializeToString() for event in history.events)
    assert (result.answer, paying.paid) == ("done", 1)
    assert b"old" in raw
    assert b"new" in raw
    assert await run.state() == result.state
    await replay(history, sealed.data_converter)


@pytest.mark.parametrize("beats", [0, 3], ids=["at once", "after some beats"])
async def test_outcome_of_a_tool_is_held_while_the_codec_is_away_and_the_tool_runs_once(
    client: Client, connected: Connect, ring: KeyRing, caplog: pytest.LogCaptureFixture, beats: int
) -> None:
    queue, paying, codec = queue_name(), Paying(), FarCodec(ring, client.namespace)
    sealed = connected(encrypted(ring, client.namespace))
    far = connected(with_codec(sealed, codec))
    async with AgentWorker(far, agents=[paying.agent], task_queue=queue, tool_policy=NOBODYS_FAULT):
        run = await DurableAgent("payer", sealed, task_queue=queue).start("pay")
        await paying.gate.begun.wait()
        codec.up = False
        await until(lambda: codec.refused >= beats, "heartbeats whose details cannot be encoded")
        paying.gate.open.set()
        await until(lambda: "waits in memory for the codec" in caplog.text, "the outcome waits")
        asked = codec.refused
        # Longer than the heartbeat timeout: only a beating heart keeps the server from another attempt.
        await until(lambda: codec.refused >= asked + 8, "several beats while it waits")
        codec.up = True
        result = await run.result()

    assert (result.answer, paying.paid) == ("done", 1)
    assert "the key service does not answer" in caplog.text


async def test_activities_wait_while_the_codec_of_every_worker_is_away(
    client: Client, connected: Connect, ring: KeyRing
) -> None:
    queue, elsewhere, codec = queue_name(), queue_name(), FarCodec(ring, client.namespace)
    sealed = connected(encrypted(ring, client.namespace))
    far = connected(with_codec(sealed, codec))
    codec.up = False
    policy = NOBODYS_FAULT.model_copy(update={"task_queue": elsewhere})
    async with (
        AgentWorker(sealed, agents=[adding_agent()], task_queue=queue, step_policy=policy),
        AgentWorker(far, agents=[adding_agent()], task_queue=elsewhere),
    ):
        run = await DurableAgent("assistant", sealed, task_queue=queue).start("add")
        why = await until(lambda: postponed(sealed, run), "two attempts that were postponed")
        codec.up = True
        result = await run.result()

    assert "the key service does not answer" in str(why)
    assert result.answer == "3"


@pytest.mark.parametrize("accepting", [False, True], ids=["refused", "asked for"])
async def test_run_of_a_client_without_the_codec_waits_unless_plaintext_is_asked_for(
    client: Client, connected: Connect, ring: KeyRing, caplog: pytest.LogCaptureFixture, accepting: bool
) -> None:
    queue = queue_name()
    run = await DurableAgent("assistant", client, task_queue=queue).start("add")
    strict = connected(encrypted(ring, client.namespace))
    lenient = connected(encrypted(ring, client.namespace, accepts_plaintext=True))
    if not accepting:
        async with AgentWorker(strict, agents=[adding_agent()], task_queue=queue):
            await until(lambda: "is not encrypted" in caplog.text, "an alert")
            assert await is_open(run, client)
    async with AgentWorker(lenient, agents=[adding_agent()], task_queue=queue):
        seen = DurableAgent("assistant", lenient, task_queue=queue).get_run(run.id)
        assert (await seen.result()).answer == "3"


def with_codec(client: Client, codec: FarCodec) -> DataConverter:
    return dataclasses.replace(client.data_converter, payload_codec=codec)


async def test_activity_of_the_users_own_waits_for_the_codec_too(
    client: Client, connected: Connect, ring: KeyRing
) -> None:
    queue, elsewhere, codec = queue_name(), queue_name(), FarCodec(ring, client.namespace)
    sealed = connected(encrypted(ring, client.namespace))
    far = connected(with_codec(sealed, codec))
    codec.up = False
    async with (
        AgentWorker(sealed, agents=[adding_agent()], task_queue=queue, workflows=[Shouting]),
        AgentWorker(far, agents=[adding_agent()], task_queue=elsewhere, activities=[shout]),
    ):
        shouting = await sealed.start_workflow(Shouting.run, elsewhere, id=queue, task_queue=queue)
        await until(lambda: codec.refused >= 2, "arguments that could not be decoded")
        codec.up = True

        assert await shouting.result() == "OTTER"


async def test_worker_ends_while_its_codec_is_away(client: Client, connected: Connect, ring: KeyRing) -> None:
    queue, elsewhere, codec = queue_name(), queue_name(), FarCodec(ring, client.namespace)
    sealed = connected(encrypted(ring, client.namespace))
    far = connected(with_codec(sealed, codec))
    codec.up = False
    async with AgentWorker(sealed, agents=[adding_agent()], task_queue=queue, workflows=[Shouting]):
        async with AgentWorker(far, agents=[adding_agent()], task_queue=elsewhere, activities=[shout]):
            shouting = await sealed.start_workflow(Shouting.run, elsewhere, id=queue, task_queue=queue)
            await until(lambda: codec.refused >= 2, "arguments that could not be decoded")
        # That its worker ended may have been the end of it.
        with contextlib.suppress(RPCError):
            await shouting.terminate()
