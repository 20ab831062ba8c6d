"""Which runs work below a run."""

from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.client.run import Run
from spine_temporal.contracts.run_id import Position, child_workflow_id
from tests.support.waiting import until


async def workflow_below(client: Client, workflow_id: str, *positions: str) -> str:
    """The workflow id of the subagent on a call; with more positions, of one further down."""
    for text in positions:
        parent, position = await _described(client, workflow_id), Position.parse(text)
        assert position is not None
        chain = parent.raw_description.workflow_execution_info.first_run_id
        workflow_id = child_workflow_id(workflow_id, position, chain)
    return workflow_id


async def run_below(client: Client, run: Run, *positions: str) -> str:
    """The same as a run id, as a caller of the run gives it."""
    prefix = run.workflow_id.removesuffix(run.id)
    return (await workflow_below(client, run.workflow_id, *positions)).removeprefix(prefix)


async def _described(client: Client, workflow_id: str) -> WorkflowExecutionDescription:
    async def described() -> WorkflowExecutionDescription | None:
        try:
            return await client.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return None

    found = await until(described, f"the workflow {workflow_id}")
    assert isinstance(found, WorkflowExecutionDescription)
    return found
