"""The server's lists of workflows, asked with queries that no value can break."""

import re
from collections.abc import AsyncIterator
from typing import Final

from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import Client

# Nothing that holds one of these two is found, however it is escaped.
_UNSAYABLE: Final = re.compile(r'["\\]')


def equals(field: str, value: str) -> str | None:
    """The condition that `field` has that value; None: no query can say the value."""
    return None if _UNSAYABLE.search(value) else f"{field} = '{_escaped(value)}'"


def starts_with(field: str, value: str) -> str:
    """The condition that `field` begins as `value` does, as far as a query can say it."""
    return f"{field} STARTS_WITH '{_escaped(_UNSAYABLE.split(value, maxsplit=1)[0])}'"


async def list_pages(client: Client, query: str, page_size: int = 0) -> AsyncIterator[list[WorkflowExecutionInfo]]:
    """The workflows that `query` finds, page by page; the list lags a moment behind what happens. 0: a full page."""
    request = ListWorkflowExecutionsRequest(namespace=client.namespace, page_size=page_size, query=query)
    while True:
        page = await client.workflow_service.list_workflow_executions(request, retry=True)
        yield list(page.executions)
        if not page.next_page_token:
            return
        request.next_page_token = page.next_page_token


def _escaped(value: str) -> str:
    return value.replace("'", "''")
