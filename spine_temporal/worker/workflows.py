"""The workflows that a worker of agents registers."""

from typing import Any, Final

from temporalio.worker import WorkerConfig

from spine_temporal.contracts import names
from spine_temporal.workflow.agent import AgentWorkflow, VersionedAgent
from spine_temporal.workflow.gate import GateWorkflow, VersionedGate
from spine_temporal.workflow.shared.budget import BudgetWorkflow, VersionedBudget
from spine_temporal.workflow.shared.checkpoint import CheckpointWorkflow, VersionedCheckpoint
from spine_temporal.workflow.shared.once import OnceWorkflow, VersionedOnce
from spine_temporal.workflow.shared.rate import RateWorkflow, VersionedRate

VERSIONED: Final[dict[type, type]] = {
    AgentWorkflow: VersionedAgent,
    CheckpointWorkflow: VersionedCheckpoint,
    BudgetWorkflow: VersionedBudget,
    RateWorkflow: VersionedRate,
    OnceWorkflow: VersionedOnce,
    GateWorkflow: VersionedGate,
}
"""Each with what a versioned worker registers in its place."""

WORKFLOWS: Final = tuple(VERSIONED)

OURS: Final = frozenset(
    {
        names.AGENT_WORKFLOW,
        names.BUDGET_WORKFLOW,
        names.CHECKPOINT_WORKFLOW,
        names.GATE_WORKFLOW,
        names.ONCE_WORKFLOW,
        names.RATE_WORKFLOW,
    }
)
"""Their types."""


def versioned(config: WorkerConfig) -> list[Any]:
    """The workflows of a worker's settings, ours as they are where that worker is versioned."""
    deployment = config.get("deployment_config")
    workflows = list(config.get("workflows", ()))
    if deployment is None or not deployment.use_worker_versioning:
        return workflows
    return [VERSIONED.get(each, each) for each in workflows]
