"""Budgets, payments and rates hold when four worker processes race, also when one is killed in the midst."""

import asyncio
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from spine_core import StopReason
from temporalio.client import Client, WorkflowHistory

from spine_temporal import DurableAgent
from spine_temporal.contracts import names
from spine_temporal.contracts.base import load
from spine_temporal.contracts.shared_limits import BucketReply, TakeRequest
from spine_temporal.middleware import TenantBudget
from tests.rooms.middleware.agents import BUDGET_USD, COST_USD, MAX_CALLS, PER_S, Book
from tests.support.harness import replay_in_sandbox
from tests.support.waiting import until

pytestmark = pytest.mark.durable

WORKERS = 4


class Workers:
    """Four processes on one task queue."""

    def __init__(self, client: Client, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.book = Book(folder)
        self.task_queue = f"guards-{uuid.uuid4().hex}"
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        address = self.client.service_client.config.target_host
        command = [
            sys.executable,
            "-m",
            "tests.rooms.middleware.worker_main",
            address,
            self.task_queue,
            str(self.folder),
        ]
        self.processes.append(subprocess.Popen(command))

    def agent(self, name: str) -> DurableAgent:
        return DurableAgent(name, self.client, task_queue=self.task_queue)

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def workers(client: Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    workers = Workers(client, tmp_path_factory.mktemp(f"guards-{uuid.uuid4().hex}"))
    for _ in range(WORKERS):
        workers.start()
    yield workers
    workers.stop()


async def replayed(client: Client, workflow_id: str) -> WorkflowHistory:
    """The history of a guard's workflow, which replays."""
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    await replay_in_sandbox(history)
    return history


async def test_every_call_is_charged_once_and_none_begins_after_the_budget_is_spent(workers: Workers) -> None:
    spender = workers.agent("spender")

    at_once = await asyncio.gather(*[spender.run(f"go {n}") for n in range(12)])
    later = await spender.run("one more")

    finals = [result for result in at_once if result.stopped_reason is StopReason.FINAL]
    refused = [result for result in at_once if result.stopped_reason is StopReason.MAX_COST]
    assert len(finals) + len(refused) == 12
    assert len(finals) * COST_USD >= BUDGET_USD
    assert (later.stopped_reason, later.answer) == (StopReason.MAX_COST, "tenant budget exceeded")
    spent = await TenantBudget(client=workers.client).spend("acme")
    assert spent["cost"] == pytest.approx(len(finals) * COST_USD)
    assert spent["tokens"] == sum(result.usage.total_tokens for result in finals)
    await replayed(workers.client, f"{names.BUDGET_ID_PREFIX}default/acme")


async def test_an_invoice_is_paid_once_whoever_pays_it(workers: Workers) -> None:
    payer = workers.agent("payer")

    results = await asyncio.gather(*[payer.run(f"invoice {n % 3}") for n in range(18)])

    assert Counter(workers.book.lines("paid invoice")) == {f"paid invoice {n}": 1 for n in range(3)}
    assert [result.answer for result in results] == [f"so paid invoice {n % 3}" for n in range(18)]


async def test_a_payment_whose_worker_is_killed_is_made_again_by_its_own_next_attempt_only(workers: Workers) -> None:
    hold = workers.folder / "hold 77"
    hold.touch()
    payer = workers.agent("payer")
    # More than the ten updates that a server lets wait in one workflow.
    runs = [await payer.start("77") for _ in range(12)]
    await until(lambda: workers.book.lines("paid 77") != [], "the payment")

    for process in workers.processes:
        process.send_signal(signal.SIGKILL)
        process.wait()
    hold.unlink()
    for _ in range(WORKERS):
        workers.start()
    results = [await run.result() for run in runs]

    # The first attempt was cut short; nobody knows how far it came.
    assert workers.book.lines("paid 77") == ["paid 77"] * 2
    assert [result.answer for result in results] == ["so paid 77"] * 12


async def test_calls_begin_at_the_rate_and_none_before_its_turn(workers: Workers) -> None:
    asker, many = workers.agent("asker"), 24

    results = await asyncio.gather(*[asker.run(f"question {n}") for n in range(many)])

    assert {result.stopped_reason for result in results} == {StopReason.FINAL}
    turns = await promised(workers.client, f"{names.RATE_ID_PREFIX}{workers.folder.name}")
    in_order = sorted(turns.values())
    assert len(in_order) == many
    for first, last in combinations(range(many), 2):
        # A full bucket, and what flows into it meanwhile.
        least_s = (last - first + 1 - MAX_CALLS) * PER_S / MAX_CALLS
        assert in_order[last] - in_order[first] >= least_s - 0.001
    begun = {line.split()[1]: float(line.split()[2]) for line in workers.book.lines("asked")}
    assert all(begun[work] >= turn - 0.001 for work, turn in turns.items())


async def promised(client: Client, workflow_id: str) -> dict[str, float]:
    """When each call's turn is, as the workflow told."""
    history = await replayed(client, workflow_id)
    asked, turns = dict[str, TakeRequest](), dict[str, float]()
    now_s = 0.0
    for event in history.events:
        if event.HasField("workflow_task_started_event_attributes"):
            now_s = event.event_time.ToNanoseconds() / 1e9
        if event.HasField("workflow_execution_update_accepted_event_attributes"):
            request = event.workflow_execution_update_accepted_event_attributes.accepted_request
            asked[request.meta.update_id] = load(TakeRequest, request.input.args.payloads[0].data)
        if event.HasField("workflow_execution_update_completed_event_attributes"):
            told = event.workflow_execution_update_completed_event_attributes
            taken = load(BucketReply, told.outcome.success.payloads[0].data)
            for id_, wait_s in zip(asked[told.meta.update_id].ids, taken.waits_s, strict=True):
                turns.setdefault(id_, now_s + wait_s)
    return turns
