"""An agent as a child of somebody's own workflow."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from spine_temporal.contracts import names
from spine_temporal.contracts.base import dump
from spine_temporal.contracts.limits import MAX_PAYLOAD_BYTES
from spine_temporal.contracts.policies import WORKER_SILENCE_S
from spine_temporal.contracts.run_end import RunOutcome
from spine_temporal.contracts.run_request import RunRequest
from spine_temporal.errors import BadInput
from spine_temporal.given import check_name, session_name, user_input
from spine_temporal.payloads import pack, unpack


async def run_agent(
    name: str, input: str, *, session_id: str | None = None, task_queue: str | None = None
) -> RunOutcome:
    """Run the agent `name` as a child workflow; wait for its outcome.

    Call it from workflow code. The child has a history of its own, so its conversation weighs nothing in yours. The
    outcome holds the answer, the reason it stopped and the usage; the whole Result is
    `DurableAgent(...).get_run(outcome.session_id)` outside the workflow. `task_queue` None means your workflow's own.

    The input may have 2 MB, whatever codec or storage payloads go through: workflow code does not know of them.

    Raises:
        temporalio.exceptions.ApplicationError: of type `spine.BadRequest`: the input says nothing or is too large, or
            there can be no such name, session id or task queue. No child was started.
        temporalio.exceptions.ChildWorkflowError: no such agent on the worker, or the child was cancelled or
            terminated. A run that ends without an answer does not raise: see `RunOutcome.reason`.
    """
    problem = _problem(name, input, session_id, task_queue)
    # A history in which it went through, with a version that did not look, goes on as it did.
    if problem is not None and workflow.patched(names.RUN_AGENT_PATCH):
        raise ApplicationError(problem, type=names.BAD_REQUEST, non_retryable=True)
    session = str(workflow.uuid4()) if session_id in (None, "") else str(session_id)
    child = workflow.execute_child_workflow(
        names.AGENT_WORKFLOW,
        pack(RunRequest(agent=name, input=input, session_id=session)),
        id=f"{names.WORKFLOW_ID_PREFIX}{session}",
        task_queue=task_queue,
        result_type=RawValue,
        task_timeout=timedelta(seconds=WORKER_SILENCE_S),
        static_summary=name,
    )
    return unpack(RunOutcome, await child)


def _problem(name: str, input: str, session_id: str | None, task_queue: str | None) -> str | None:
    """Why there can be no such run; None: there can."""
    try:
        check_name("the agent's name", name)
        user_input("a run", input)
        session_name(session_id, names.WORKFLOW_ID_PREFIX)
        if task_queue is not None:
            check_name("task_queue", task_queue, empty=True)
    except BadInput as error:
        return str(error)
    size_bytes = len(dump(RunRequest(agent=name, input=input)))
    if size_bytes <= MAX_PAYLOAD_BYTES:
        return None
    return (
        f"the input has {size_bytes:,} bytes as it is sent, the start of a child workflow holds {MAX_PAYLOAD_BYTES:,}; "
        "store it where a tool can read it, and name the place"
    )
