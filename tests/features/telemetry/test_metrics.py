"""What a worker counts, as Prometheus and a collector read it."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.service import RPCError

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.contracts import metric_names as names
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.encryption.converter import encrypted
from spine_temporal.encryption.keys import KeyRing, new_key
from spine_temporal.errors import BadInput
from spine_temporal.telemetry.metrics_runtime import BUCKETS, metrics_runtime
from spine_temporal.testing import dev_server
from spine_temporal.worker.waiting_approvals import WaitingApprovals
from tests.features.telemetry import metering
from tests.support.ports import free_port
from tests.support.services.otlp import Receiver
from tests.support.services.prometheus import Scrape, scrape
from tests.support.waiting import until

pytestmark = pytest.mark.durable
GOLDEN: Final = Path(__file__).with_name("golden_metrics.txt")


@dataclass
class Metered:
    """A worker with metrics, and what it serves of them."""

    client: Client
    task_queue: str
    url: str
    worker: AgentWorker

    def agent(self, name: str) -> DurableAgent:
        return DurableAgent(name, self.client, task_queue=self.task_queue)

    @property
    def gauges(self) -> WaitingApprovals:
        gauges = self.worker.plugin._waiting
        assert isinstance(gauges, WaitingApprovals)
        return gauges

    async def scrape(self) -> Scrape:
        return await scrape(self.url)

    async def start_with_another_key(self) -> None:
        """A run that this worker cannot read."""
        other = encrypted(KeyRing.parse(new_key("theirs"), "there"), "default")
        client = await Client.connect(self.client.service_client.config.target_host, data_converter=other)
        await DurableAgent("priced", client, task_queue=self.task_queue).start("go")


@pytest_asyncio.fixture(scope="module")
async def metered() -> AsyncIterator[Metered]:
    async with dev_server() as server:
        address = f"127.0.0.1:{free_port()}"
        keys = encrypted(KeyRing.parse(new_key("ours"), "here"), "default")
        client = await Client.connect(server.address, runtime=metrics_runtime(address), data_converter=keys)
        agents = [metering.priced(), metering.working(), metering.payer(), metering.counter()]
        async with AgentWorker(
            client,
            agents=agents,
            task_queue=f"metered-{uuid.uuid4().hex}",
            workflows=[metering.Stranger],
            continue_policy=ContinuePolicy(events=20),
        ) as worker:
            yield Metered(client, worker.task_queue, f"http://{address}/metrics", worker)


async def test_requests_tokens_and_cost_are_counted_by_model(metered: Metered) -> None:
    await metered.agent("priced").run("how are you?")

    now, who = await metered.scrape(), {"agent": "priced", "model": "model-1", "provider": "outofdate"}
    assert now.value("spine_model_requests_total", **who, outcome="error") == 1
    assert now.value("spine_model_requests_total", **who, outcome="ok") == 1
    assert now.value("spine_model_request_duration_seconds_count", **who) == 2
    assert now.value("spine_provider_retries_total", agent="priced") == 1
    assert now.value("spine_tokens_total", **who, direction="input") == 1000
    assert now.value("spine_tokens_total", **who, direction="output") == 20
    assert now.value("spine_request_cost_usd_sum", **who) == pytest.approx(0.02)
    assert now.value("spine_unpriced_requests_total", **who) == 0
    assert now.value("spine_turns_total", agent="priced", stop_reason="final") == 1
    assert now.value("spine_steps_total", agent="priced", task_queue=metered.task_queue, namespace="default") == 1


async def test_tool_calls_are_counted_by_tool_and_outcome(metered: Metered) -> None:
    await metered.agent("working").run("go")

    now = await metered.scrape()
    assert now.value("spine_tool_calls_total", agent="working", tool="add", outcome="ok") == 1
    assert now.value("spine_tool_calls_total", agent="working", tool="broken", outcome="error") == 1
    assert now.value("spine_tool_calls_total", agent="working", tool="nothing") == 0, "a model made that name up"
    assert now.value("spine_unpriced_requests_total", agent="working") == 3
    assert now.value("spine_cache_lookups_total", result="hit") > 0


async def test_approvals_that_wait_are_counted_with_their_age_until_they_are_decided(metered: Metered) -> None:
    run = await metered.agent("payer").start("pay them")
    await until(run.pending, "the approvals")

    async def counted(waiting: float) -> bool:
        await metered.gauges.look()
        return (await metered.scrape()).value("spine_approvals_waiting", agent="payer") == waiting

    await until(lambda: counted(2), "both calls wait")
    assert (await metered.scrape()).value("spine_oldest_approval_age_seconds", agent="payer") > 0
    await run.decide("approve", call_id="1.0")
    await run.decide("reject", call_id="1.1")
    await run.result()
    await until(lambda: counted(0), "none waits")

    now = await metered.scrape()
    assert now.value("spine_oldest_approval_age_seconds", agent="payer") == 0
    assert now.value("spine_approvals_asked_total", agent="payer") == 2
    assert now.value("spine_approval_wait_seconds_count", agent="payer", outcome="approved") == 1
    assert now.value("spine_approval_wait_seconds_count", agent="payer", outcome="rejected") == 1


async def test_executions_that_go_on_are_counted_with_what_their_histories_weigh(metered: Metered) -> None:
    await metered.agent("counter").run("go")

    now = await metered.scrape()
    continued = now.value("spine_continue_as_new_total", agent="counter")
    assert continued > 0
    assert now.value("spine_history_size_bytes_count", agent="counter") == continued + 1
    assert now.value("spine_history_size_bytes_sum", agent="counter") > 1000


async def test_buckets_fit_what_is_measured(metered: Metered) -> None:
    await metered.agent("priced").run("go")

    now = await metered.scrape()
    assert now.bounds("spine_model_request_duration_seconds")[:-1] == list(BUCKETS[names.MODEL_REQUEST_DURATION])
    assert now.bounds("spine_history_size_bytes")[:-1] == list(BUCKETS[names.HISTORY_SIZE])
    assert now.bounds("temporal_activity_execution_latency_seconds")[-2] == 600


async def test_payload_whose_key_is_missing_is_counted(metered: Metered) -> None:
    await metered.start_with_another_key()

    async def counted() -> bool:
        return (await metered.scrape()).value("spine_codec_failures_total", operation="decoded") > 0

    await until(counted, "the worker's look at it")


async def test_metrics_are_those_that_dashboards_are_checked_against(metered: Metered) -> None:
    """`GOLDEN` has every family of ours, and those of the SDK that this story brings up for certain."""
    for name in ("priced", "working", "counter"):
        await metered.agent(name).run("go")
    run = await metered.agent("payer").start("pay them")
    await until(run.pending, "the approvals")
    await metered.gauges.look()
    metered.worker.plugin.activities_of_agents.cache.forget((run.workflow_id, run.run_id or ""))
    for call in ("1.0", "1.1"):
        await run.decide("approve", call_id=call)
    await run.result()
    await metered.start_with_another_key()
    await metered.client.start_workflow("stranger", id=uuid.uuid4().hex, task_queue=metered.task_queue)
    with pytest.raises(RPCError):
        await metered.client.get_workflow_handle("nobody").describe()
    golden = GOLDEN.read_text().splitlines()

    async def all_there() -> Scrape | None:
        now = await metered.scrape()
        return now if set(golden) <= set(now.shape()) else None

    now = await until(all_there, "every metric")
    shape = now.shape() if now is not None else []
    assert [line for line in shape if " spine_" in line and line not in golden] == []


async def test_collector_gets_the_same_by_otlp(metered: Metered) -> None:
    with Receiver() as collector:
        runtime = metrics_runtime(otlp_url=f"{collector.url.removesuffix('/v1/traces')}/v1/metrics", otlp_every_s=0.2)
        address = metered.client.service_client.config.target_host
        client = await Client.connect(address, runtime=runtime)
        async with AgentWorker(client, agents=[metering.priced()], task_queue="collected"):
            await DurableAgent("priced", client, task_queue="collected").run("go")
            await until(lambda: collector.metric("spine_request_cost"), "the cost")
            await until(lambda: collector.metric("temporal_workflow_completed"), "one of the SDK's own")

    cost = collector.metric("spine_request_cost")
    assert cost is not None
    assert cost.unit == "usd"
    assert cost.histogram.data_points[0].sum == pytest.approx(0.02)
    assert list(cost.histogram.data_points[0].explicit_bounds) == list(BUCKETS[names.REQUEST_COST])


@pytest.mark.parametrize("given", [{}, {"prometheus_address": "127.0.0.1:0", "otlp_url": "http://localhost:4318"}])
def test_metrics_go_to_one_place(given: dict[str, str]) -> None:
    with pytest.raises(BadInput, match="give one of them"):
        metrics_runtime(**given)  # type: ignore[arg-type]


async def test_address_in_use_is_said(metered: Metered) -> None:
    with pytest.raises(BadInput, match="cannot be served"):
        metrics_runtime(metered.url.removeprefix("http://").removesuffix("/metrics"))
