"""What the server holds all workers of a task queue to, and how tenants share them."""

from collections.abc import Mapping
from typing import Final

from pydantic import Field
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import RateLimit, TaskQueue, TaskQueueConfig
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, UpdateTaskQueueConfigRequest
from temporalio.client import Client

from spine_temporal.client.read_model import ReadModel
from spine_temporal.contracts.fairness import fairness_key
from spine_temporal.errors import BadInput

_ACTIVITIES = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
_REASON = "spine-temporal limits"
# The server keeps them in four bytes, in which a number without end is no JSON.
_MOST: Final = 1e9


class QueueLimits(ReadModel):
    """The limits that the server keeps for the activities of a task queue: steps, tool calls."""

    task_queue: str
    per_second: float | None = None
    """Begun by all workers together; None: as many as they can."""
    tenant_per_second: float | None = None
    """Of each tenant; None: no limit of its own."""
    weights: dict[str, float] = Field(default_factory=dict)
    """By tenant; another one has the weight that its run was started with, else 1."""


async def queue_limits(client: Client, task_queue: str) -> QueueLimits:
    """The limits as they are.

    Raises:
        temporalio.service.RPCError: the server refuses, or knows no limits.
    """
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=task_queue),
        task_queue_type=_ACTIVITIES,
        report_config=True,
    )
    return _limits(task_queue, (await client.workflow_service.describe_task_queue(request)).config)


async def set_queue_limits(
    client: Client,
    task_queue: str,
    *,
    per_second: float | None = None,
    tenant_per_second: float | None = None,
    weights: Mapping[str, float | None] | None = None,
) -> QueueLimits:
    """Change what is given and leave the rest; a limit of 0 is none, a weight of None is the ordinary one again.

    It holds for all workers from now on, whatever their own settings, and until somebody changes it.

    Raises:
        BadInput: a number is no limit or no weight.
        temporalio.service.RPCError: the server refuses, or knows no limits.
    """
    weights = {fairness_key(tenant): weight for tenant, weight in (weights or {}).items()}
    for name, number in {"per_second": per_second, "tenant_per_second": tenant_per_second, **weights}.items():
        if number is not None and not 0 <= number <= _MOST:
            raise BadInput(f"{name} is {number!r}; it is a number from 0 to {_MOST:.0f}")
    request = UpdateTaskQueueConfigRequest(
        namespace=client.namespace,
        task_queue=task_queue,
        task_queue_type=_ACTIVITIES,
        set_fairness_weight_overrides={key: weight for key, weight in weights.items() if weight is not None},
        unset_fairness_weight_overrides=[key for key, weight in weights.items() if weight is None],
    )
    if per_second is not None:
        request.update_queue_rate_limit.CopyFrom(_update(per_second))
    if tenant_per_second is not None:
        request.update_fairness_key_rate_limit_default.CopyFrom(_update(tenant_per_second))
    return _limits(task_queue, (await client.workflow_service.update_task_queue_config(request)).config)


def _update(per_second: float) -> UpdateTaskQueueConfigRequest.RateLimitUpdate:
    limit = RateLimit(requests_per_second=per_second) if per_second else None
    return UpdateTaskQueueConfigRequest.RateLimitUpdate(rate_limit=limit, reason=_REASON)


def _limits(task_queue: str, config: TaskQueueConfig) -> QueueLimits:
    def rate(name: str) -> float | None:
        limit = getattr(config, name)
        return limit.rate_limit.requests_per_second if limit.HasField("rate_limit") else None

    return QueueLimits(
        task_queue=task_queue,
        per_second=rate("queue_rate_limit"),
        tenant_per_second=rate("fairness_keys_rate_limit_default"),
        weights=dict(config.fairness_weight_overrides),
    )
