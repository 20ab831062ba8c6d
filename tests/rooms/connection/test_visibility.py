"""Queries that no value can break."""

import uuid

import pytest
from temporalio.client import Client

from spine_temporal.connection.visibility import equals, list_pages, starts_with
from tests.support.waiting import until


@pytest.mark.parametrize(
    ("value", "condition"),
    [
        ("clerk", "SpineAgent = 'clerk'"),
        ("it's", "SpineAgent = 'it''s'"),
        ("' OR WorkflowId = 'x", "SpineAgent = ''' OR WorkflowId = ''x'"),
        ('a"b', None),
        ("a\\b", None),
    ],
)
def test_a_value_is_escaped_or_cannot_be_asked_for(value: str, condition: str | None) -> None:
    assert equals("SpineAgent", value) == condition


def test_of_what_cannot_be_asked_for_the_beginning_is() -> None:
    assert starts_with("WorkflowId", "it's\\here") == "WorkflowId STARTS_WITH 'it''s'"


@pytest.mark.durable
@pytest.mark.parametrize(
    "value", ["it's", "' OR WorkflowId != '", 'a"b', '" OR "" = "', "a\\", "\\' OR 1 = 1 --", "%", "`", "a\nb", "''"]
)
async def test_the_server_takes_every_value_for_what_it_is(client: Client, value: str) -> None:
    run = f"visibility-{uuid.uuid4().hex}"
    await client.start_workflow("nobodys.workflow", id=run, task_queue=run)
    await until(lambda: found(client, equals("WorkflowId", run)), "the list has it")

    for condition in filter(None, [equals("WorkflowId", value), equals("WorkflowType", value)]):
        assert await found(client, f"{condition} AND TaskQueue = '{run}'") == []
    await found(client, starts_with("WorkflowId", value))
    await client.get_workflow_handle(run).terminate()


async def found(client: Client, query: str | None) -> list[str]:
    assert query is not None
    return [info.execution.workflow_id async for page in list_pages(client, query) for info in page]
