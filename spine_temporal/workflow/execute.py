"""How the workflow has an activity executed."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import Priority, RawValue, RetryPolicy

from spine_temporal.contracts.base import WireModel
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.payloads import pack, unpack

# A factory that fails once, a server of tools that is away for a moment.
_LOCAL_ATTEMPTS: Final = 5


async def execute_activity[Out: WireModel](
    name: str,
    task: WireModel,
    returns: type[Out],
    policy: ActivityPolicy,
    *,
    activity_id: str,
    summary: str | None = None,
    priority: Priority = Priority.default,
) -> Out:
    """Schedule the activity, wait for it, read of its result what `returns` knows.

    Temporal may try without end: the activity itself counts the attempts that its policy allows, and answers with an
    outcome when they are spent.

    Raises:
        temporalio.exceptions.ActivityError: it was cancelled, or failed before our code was reached.
    """
    result = await workflow.execute_activity(
        name,
        pack(task),
        result_type=RawValue,
        activity_id=activity_id,
        task_queue=policy.task_queue,
        start_to_close_timeout=_time(policy.timeout_s),
        heartbeat_timeout=_time(policy.heartbeat_s),
        retry_policy=RetryPolicy(
            initial_interval=_time(policy.retry_first_s),
            maximum_interval=_time(max(policy.retry_first_s, policy.retry_longest_s)),
        ),
        cancellation_type=workflow.ActivityCancellationType.TRY_CANCEL,
        summary=summary,
        priority=priority,
    )
    return unpack(returns, result)


async def execute_local_activity[Out: WireModel](
    name: str,
    task: WireModel,
    returns: type[Out],
    *,
    activity_id: str,
    timeout_s: float,
    attempts: int = _LOCAL_ATTEMPTS,
) -> Out:
    """Execute a local activity, read of its result what `returns` knows.

    Raises:
        temporalio.exceptions.ActivityError: it was cancelled, or failed as often as it may.
    """
    result = await local_result(name, task, activity_id=activity_id, timeout_s=timeout_s, attempts=attempts)
    return unpack(returns, result)


async def local_result(
    name: str,
    task: WireModel,
    *,
    activity_id: str,
    timeout_s: float,
    attempts: int = _LOCAL_ATTEMPTS,
    summary: str | None = None,
) -> RawValue:
    """What a local activity returned: one event, and the task itself is not recorded.

    Raises:
        temporalio.exceptions.ActivityError: it was cancelled, or failed as often as it may.
    """
    result: RawValue = await workflow.execute_local_activity(
        name,
        pack(task),
        result_type=RawValue,
        activity_id=activity_id,
        start_to_close_timeout=_time(timeout_s),
        retry_policy=RetryPolicy(maximum_attempts=attempts),
        summary=summary,
    )
    return result


def _time(seconds: float) -> timedelta:
    # Half a microsecond is none: refused, it would fail the workflow task for ever.
    return max(timedelta(seconds=seconds), timedelta(milliseconds=1))
