"""A run found by its id."""

from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest, DescribeWorkflowExecutionResponse
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.cli.seen import Seen, see
from spine_temporal.client.run import Run
from spine_temporal.contracts import names
from spine_temporal.errors import NotAnAgentRun, RunNotFound

ABSENT: Final = (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT)
"""What a server says of a run that it does not have, or no longer."""


async def find(client: Client, given: str) -> tuple[Run, Seen, DescribeWorkflowExecutionResponse]:
    """The run with the session id or, failing that, the workflow id `given`.

    Raises:
        RunNotFound: there is neither.
        NotAnAgentRun: the id belongs to another kind of workflow.
    """
    for workflow_id in (f"{names.WORKFLOW_ID_PREFIX}{given}", given):
        described = await _describe(client, workflow_id)
        if described is None:
            continue
        info = described.workflow_execution_info
        if info.type.name != names.AGENT_WORKFLOW:
            raise NotAnAgentRun(
                f"workflow {workflow_id!r} is a {info.type.name!r}, not a run of an agent; "
                f"`temporal workflow show -w {workflow_id}` shows it"
            )
        seen = await see(client, info)
        return Run(client, id=seen.id, workflow_id=workflow_id, run_id=seen.run_id), seen, described
    raise RunNotFound(
        f"no run {given!r} in namespace {client.namespace!r}; `spine-temporal list` shows the runs there are"
    )


def named(workflow_id: str) -> str:
    """The shortest name by which `find` finds that run."""
    return workflow_id.removeprefix(names.WORKFLOW_ID_PREFIX)


async def _describe(client: Client, workflow_id: str) -> DescribeWorkflowExecutionResponse | None:
    request = DescribeWorkflowExecutionRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
    )
    try:
        return await client.workflow_service.describe_workflow_execution(request)
    except RPCError as error:
        if error.status in ABSENT:
            return None
        raise
