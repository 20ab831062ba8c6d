"""All the executions of one workflow that the server still keeps."""

from collections.abc import AsyncIterator

from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.client import Client

from spine_temporal.connection.visibility import equals, list_pages, starts_with


async def listed(client: Client, workflow_id: str, type_: str) -> AsyncIterator[WorkflowExecutionInfo]:
    """What the server's list says of them; it lags behind what happens."""
    named = equals("WorkflowId", workflow_id) or starts_with("WorkflowId", workflow_id)
    async for page in list_pages(client, f"{equals('WorkflowType', type_)} AND {named}"):
        for each in page:
            if each.execution.workflow_id == workflow_id:
                yield each
