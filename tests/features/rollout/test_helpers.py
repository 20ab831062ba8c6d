"""What several runs share outlives every version: its next task goes to the current one."""

import pytest
from temporalio.common import VersioningBehavior
from temporalio.workflow import _Definition

from spine_temporal.contracts import names
from spine_temporal.contracts.shared_limits import (
    BucketState,
    BudgetState,
    Charge,
    ClaimRequest,
    LeaseRequest,
    TakeRequest,
)
from spine_temporal.payloads import pack
from spine_temporal.worker.workflows import OURS, VERSIONED, WORKFLOWS
from tests.features.rollout.rollout import Rollout

pytestmark = pytest.mark.durable

PINNED, MOVING = VersioningBehavior.PINNED, VersioningBehavior.AUTO_UPGRADE


def test_runs_are_pinned_and_what_they_share_is_not() -> None:
    found = {each.name: each.versioning_behavior for each in map(_Definition.must_from_class, VERSIONED.values())}

    assert found == {
        names.AGENT_WORKFLOW: PINNED,
        names.GATE_WORKFLOW: PINNED,
        names.BUDGET_WORKFLOW: MOVING,
        names.CHECKPOINT_WORKFLOW: MOVING,
        names.ONCE_WORKFLOW: MOVING,
        names.RATE_WORKFLOW: MOVING,
    }
    assert found.keys() == OURS == {_Definition.must_from_class(each).name for each in WORKFLOWS}


async def test_budget_rate_and_once_go_on_without_the_version_that_they_began_on(rollout: Rollout) -> None:
    client, queue = rollout.client, rollout.task_queue
    await rollout.work("v1")

    budget = await client.start_workflow(
        names.BUDGET_WORKFLOW, pack(BudgetState()), id=f"{rollout.name}-budget", task_queue=queue
    )
    rate = await client.start_workflow(
        names.RATE_WORKFLOW, pack(BucketState()), id=f"{rollout.name}-rate", task_queue=queue
    )
    once = await client.start_workflow(
        names.ONCE_WORKFLOW, pack(LeaseRequest(remember_s=60)), id=f"{rollout.name}-once", task_queue=queue
    )
    await budget.query(names.SPENT_QUERY)
    await rollout.work("v2")
    await rollout.stop("v1")

    await budget.signal(names.CHARGE_SIGNAL, pack(Charge(id="c", cost_usd=0.5, tokens=3)))
    spent = await budget.query(names.SPENT_QUERY)
    took = await rate.execute_update(names.TAKE_UPDATE, pack(TakeRequest(ids=("c",), max_calls=1, per_s=1.0)))
    claimed = await once.execute_update(names.CLAIM_UPDATE, pack(ClaimRequest(owner="o", lease_s=5)))

    assert (spent["cost_usd"], took["waits_s"], claimed["granted"]) == (0.5, [0.0], True)
    await rollout.until_drained("v1")
