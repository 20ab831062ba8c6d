"""How the earlier attempts of an activity ended, as the server knows it."""

import logging
from datetime import timedelta
from typing import Final

from temporalio import activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import TimeoutType
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest, DescribeWorkflowExecutionResponse
from temporalio.exceptions import FailureError

from spine_temporal.activities.lost_worker import release_runs
from spine_temporal.contracts import names
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.contracts.progress import AttemptProgress

_log = logging.getLogger(__name__)

_ASK_FOR: Final = timedelta(seconds=2)
# Details go along with every beat: enough to read what happened, however differently each attempt failed.
_KINDS: Final = 8
_TEXT: Final = 200
_OTHERS: Final = "something else"
STOPPED_MIDWAY: Final = "its worker was stopped in the midst of it: nobody knows whether it was done"
_UNCOUNTED: Final = frozenset({names.WORKER_STOPPING, names.POSTPONED, names.CODEC_AWAY})


async def with_last_ending(progress: AttemptProgress, policy: ActivityPolicy) -> AttemptProgress:
    """`progress`, with how the attempt before this one ended; as it was, if the server does not say.

    When its worker was lost, the run is released from that worker.
    """
    try:
        described = await _described()
        failure = _last_failure(described)
        missed = failure is not None and _was_silent(failure)
        if missed:
            await release_runs(activity.client(), described)
        ending = await _ending(failure, policy) if failure is not None else None
    except Exception as error:  # noqa: BLE001 - it is only for a sentence
        _log.debug("could not ask the server how the last attempt ended", exc_info=error)
        return progress
    if ending is None:
        return progress
    if ending not in progress.ended and len(progress.ended) >= _KINDS:
        ending = _OTHERS
    ended = progress.ended | {ending: progress.ended.get(ending, 0) + 1}
    return progress.model_copy(update={"ended": ended, "missed": progress.missed + missed})


def given_up(progress: AttemptProgress, policy: ActivityPolicy) -> str:
    """Why there is no further attempt."""
    why = f"given up after {sum(progress.ended.values()) or policy.attempts} attempts"
    if policy.at_most_once:
        why = "nobody knows whether it was done, and it is not to be done twice"
    if not progress.ended:
        return f"{why}; the server did not say how they ended"
    return f"{why}: " + "; ".join(f"{ending}{_times(times)}" for ending, times in progress.ended.items())


def _times(number: int) -> str:
    return f" ({number} times)" if number > 1 else ""


async def _described() -> DescribeWorkflowExecutionResponse:
    info, client = activity.info(), activity.client()
    execution = WorkflowExecution(workflow_id=info.workflow_id or "", run_id=info.workflow_run_id or "")
    return await client.workflow_service.describe_workflow_execution(
        DescribeWorkflowExecutionRequest(namespace=info.namespace, execution=execution), timeout=_ASK_FOR
    )


def _last_failure(described: DescribeWorkflowExecutionResponse) -> Failure | None:
    id_ = activity.info().activity_id
    for pending in described.pending_activities:
        if pending.activity_id == id_:
            return pending.last_failure if pending.HasField("last_failure") else None
    return None


def _was_silent(failure: Failure) -> bool:
    return failure.timeout_failure_info.timeout_type == TimeoutType.TIMEOUT_TYPE_HEARTBEAT


async def _ending(failure: Failure, policy: ActivityPolicy) -> str | None:
    if failure.HasField("timeout_failure_info"):
        if _was_silent(failure):
            return (
                f"no heartbeat for {policy.heartbeat_s:g} s: the worker was lost, "
                "or code in it kept the interpreter for that long"
            )
        return f"it took longer than {policy.timeout_s:g} s"
    if failure.application_failure_info.type in _UNCOUNTED:
        return None
    decoded = await activity.client().data_converter.decode_failure(failure)
    text = decoded.message if isinstance(decoded, FailureError) else str(decoded)
    return text if len(text) <= _TEXT else text[:_TEXT] + "…"
