"""An agent as a child of somebody's own workflow."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue

from spine_temporal.contracts import names
from spine_temporal.contracts.policies import WORKER_SILENCE_S
from spine_temporal.contracts.run_end import RunOutcome
from spine_temporal.contracts.run_request import RunRequest
from spine_temporal.payloads import pack, unpack


async def run_agent(
    name: str, input: str, *, session_id: str | None = None, task_queue: str | None = None
) -> RunOutcome:
    """Run the agent `name` as a child workflow; wait for its outcome.

    Call it from workflow code. The child has a history of its own, so its conversation weighs nothing in yours. The
    outcome holds the answer, the reason it stopped and the usage; the whole Result is
    `DurableAgent(...).get_run(outcome.session_id)` outside the workflow. `task_queue` None means your workflow's own.

    Raises:
        temporalio.exceptions.ChildWorkflowError: no such agent on the worker, or the child was cancelled or
            terminated. A run that ends without an answer does not raise: see `RunOutcome.reason`.
    """
    session = session_id or str(workflow.uuid4())
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
