"""Whatever is sent to the workflows that guard money, side effects, a rate: they go on, and count as before."""

import uuid
from dataclasses import dataclass

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from spine_temporal import AgentWorker
from spine_temporal.contracts import names
from spine_temporal.contracts.base import WireModel
from spine_temporal.contracts.shared_limits import (
    BucketReply,
    BucketState,
    BudgetState,
    Charge,
    Claimed,
    ClaimRequest,
    DoneRequest,
    LeaseRequest,
    TakeRequest,
)
from spine_temporal.payloads import pack, unpack
from tests.features.odd_input.payloads import GARBLED, ODD, sent
from tests.features.odd_input.test_runs import failed_tasks
from tests.support.agents_at_hand import adding_agent

pytestmark = pytest.mark.durable


@dataclass(frozen=True)
class Guard:
    """One of the workflows: what it is started with, what it hears."""

    type: str
    request: WireModel | None
    signals: tuple[str, ...] = ()
    updates: tuple[str, ...] = ()


GUARDS = [
    Guard(names.BUDGET_WORKFLOW, BudgetState(), signals=(names.CHARGE_SIGNAL,)),
    Guard(names.RATE_WORKFLOW, BucketState(), updates=(names.TAKE_UPDATE,)),
    Guard(names.ONCE_WORKFLOW, LeaseRequest(remember_s=60.0), (names.DONE_SIGNAL,), (names.CLAIM_UPDATE,)),
    Guard(names.CHECKPOINT_WORKFLOW, None, signals=(names.PUT_SIGNAL,)),
]
FORMS = {
    "a charge that is none": [sent(b'{"id": "a", "cost_usd": "much"}')],
    "a charge without end": [sent(b'{"id": "a", "cost_usd": Infinity}')],
    "a charge that is no number": [sent(b'{"id": "a", "cost_usd": NaN}')],
    "no calls at all": [sent(b'{"ids": ["a"], "max_calls": 0, "per_s": 1}')],
    "a rate without end": [sent(b'{"ids": ["a"], "max_calls": 1, "per_s": Infinity}')],
    "a rate that is no number": [sent(b'{"ids": ["a"], "max_calls": 1, "per_s": NaN}')],
    "a wait that is no number": [sent(b'{"ids": ["a"], "max_calls": 1, "per_s": 1, "sits_out_s": NaN}')],
    "a lease without end": [sent(b'{"owner": "a", "lease_s": Infinity}')],
    "a lease that is no number": [sent(b'{"owner": "a", "lease_s": NaN}')],
    "a lease for nobody": [sent(b'{"lease_s": 1}')],
    "a result that is none": [sent(b'{"owner": "a", "result": 1}')],
}


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.type)
async def test_a_guard_goes_on_whatever_it_is_sent(client: Client, guard: Guard) -> None:
    queue = uuid.uuid4().hex
    async with AgentWorker(client, agents=[adding_agent()], task_queue=queue):
        given = [] if guard.request is None else [pack(guard.request)]
        handle = await client.start_workflow(guard.type, args=given, id=uuid.uuid4().hex, task_queue=queue)
        for what, values in (ODD | GARBLED | FORMS).items():
            for signal in (*guard.signals, "spine.nonsense"):
                await handle.signal(signal, args=values)
            for update in guard.updates:
                with pytest.raises(WorkflowUpdateFailedError) as refused:
                    await handle.execute_update(update, args=values, result_type=RawValue)
                assert isinstance(refused.value.cause, ApplicationError), what
                assert refused.value.cause.message, what

        if guard.type == names.BUDGET_WORKFLOW:
            await handle.signal(names.CHARGE_SIGNAL, pack(Charge(id="b", cost_usd=0.5)))
            spent = unpack(BudgetState, await handle.query(names.SPENT_QUERY, result_type=RawValue))
            assert spent.cost_usd == 0.5
        elif guard.type == names.RATE_WORKFLOW:
            take = pack(TakeRequest(ids=("b",), max_calls=5, per_s=1.0))
            taken = await handle.execute_update(names.TAKE_UPDATE, take, result_type=RawValue)
            assert unpack(BucketReply, taken).waits_s == (0.0,)
        elif guard.type == names.ONCE_WORKFLOW:
            claim = pack(ClaimRequest(owner="b", lease_s=30.0))
            claimed = await handle.execute_update(names.CLAIM_UPDATE, claim, result_type=RawValue)
            assert unpack(Claimed, claimed).granted
            await handle.signal(names.DONE_SIGNAL, pack(DoneRequest(owner="b", result="1")))
            other = pack(ClaimRequest(owner="c", lease_s=30.0))
            again = await handle.execute_update(names.CLAIM_UPDATE, other, result_type=RawValue)
            assert unpack(Claimed, again) == Claimed(granted=False, result="1")
        assert await failed_tasks(handle) == []
        await handle.terminate()


@pytest.mark.parametrize("guard", GUARDS[:3], ids=lambda guard: guard.type)
async def test_a_guard_that_is_started_with_nothing_readable_fails_with_a_sentence(
    client: Client, guard: Guard
) -> None:
    queue = uuid.uuid4().hex
    async with AgentWorker(client, agents=[adding_agent()], task_queue=queue):
        for what, values in (ODD | GARBLED).items():
            if what == "an unknown field alone" and guard.type != names.ONCE_WORKFLOW:
                continue
            handle = await client.start_workflow(guard.type, args=values, id=uuid.uuid4().hex, task_queue=queue)
            with pytest.raises(WorkflowFailureError) as failed:
                await handle.result()
            assert isinstance(failed.value.cause, ApplicationError), what
            assert failed.value.cause.type == names.BAD_REQUEST, what
            assert await failed_tasks(handle) == [], what
