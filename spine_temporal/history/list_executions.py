"""All the executions of one workflow that the server still keeps."""

import re
from collections.abc import AsyncIterator

from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import Client


async def listed(client: Client, workflow_id: str, type_: str) -> AsyncIterator[WorkflowExecutionInfo]:
    """What the server's list says of them; it lags behind what happens."""
    # In a query no id is found that has one of these two, however it is escaped: then what stands before it is sought.
    start = re.split(r'["\\]', workflow_id, maxsplit=1)[0]
    operator, quoted = "=" if start == workflow_id else "STARTS_WITH", start.replace("'", "''")
    request = ListWorkflowExecutionsRequest(
        namespace=client.namespace, query=f"WorkflowType = '{type_}' AND WorkflowId {operator} '{quoted}'"
    )
    while True:
        page = await client.workflow_service.list_workflow_executions(request, retry=True)
        for each in page.executions:
            if each.execution.workflow_id == workflow_id:
                yield each
        if not page.next_page_token:
            return
        request.next_page_token = page.next_page_token
