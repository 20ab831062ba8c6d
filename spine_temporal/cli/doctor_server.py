"""What is in order with the server, its namespace, the task queue."""

from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    GetSystemInfoRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.cli.doctor_encryption import check_encryption, check_keys
from spine_temporal.cli.doctor_finding import Finding, Level
from spine_temporal.cli.server import Server
from spine_temporal.connection.search_attributes import look
from spine_temporal.errors import BadInput, ServerUnreachable
from spine_temporal.format import ago, many


async def check_server(server: Server, task_queue: str) -> list[Finding]:
    """What was found; nothing of what cannot be looked at when the server does not answer."""
    unusable = check_keys()
    if unusable is not None:
        return [unusable]
    try:
        client = await server.client()
    except (ServerUnreachable, BadInput) as error:
        return [Finding(Level.FIX, "server", str(error))]
    return [found async for found in _findings(server, client, task_queue)]


async def _findings(server: Server, client: Client, task_queue: str) -> AsyncIterator[Finding]:
    info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    address = client.service_client.config.target_host
    yield Finding(Level.OK, "server", f"{address}, Temporal {info.server_version or 'of unknown version'}")
    namespace = await _namespace(server, client)
    yield namespace
    if namespace.level is Level.FIX:
        return
    yield await _attributes(server, client)
    for found in await _looked("task queue", _pollers(server, client, task_queue)):
        yield found
    for found in await _looked("codec", check_encryption(client)):
        yield found


async def _looked(what: str, look_at: Awaitable[list[Finding]]) -> list[Finding]:
    try:
        return await look_at
    except RPCError as error:
        return [Finding(Level.NOTE, what, f"it cannot be looked at: {error.message}", "ask with a role that may")]


async def _namespace(server: Server, client: Client) -> Finding:
    name = client.namespace
    try:
        described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=name))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            return Finding(Level.NOTE, "namespace", f"{name}; the server says nothing of it: {error.message}")
        create = replace(server, namespace=None).command(
            *("operator", "namespace", "create", "-n", name), program="temporal"
        )
        return Finding(Level.FIX, "namespace", f"the server has no namespace {name!r}", f"`{create}` makes it")
    kept: timedelta = described.config.workflow_execution_retention_ttl.ToTimedelta()
    return Finding(Level.OK, "namespace", f"{name}, runs are kept {many(kept.days, 'day')} after their end")


async def _attributes(server: Server, client: Client) -> Finding:
    try:
        found = await look(client)
    except RPCError as error:
        text = f"whether they are there cannot be asked: {error.message}"
        return Finding(Level.NOTE, "search attributes", text, "a role that may list the namespace's runs shows it")
    way = f"`{server.command('init')}` creates them, or says who can"
    unlisted = "" if found.listed else f" (they may not be listed: {found.why}; so runs were asked for by each of them)"
    if found.of_other_types:
        wrong = ", ".join(f"{name} as {type_}" for name, type_ in found.of_other_types.items())
        text = f"somebody created {wrong}, with another type than spine-temporal's: no run sets them"
        return Finding(Level.NOTE, "search attributes", text, f"`{server.command('init')}` says what to remove")
    if not found.missing:
        return Finding(Level.OK, "search attributes", f"all {len(found.there)} are there{unlisted}")
    text = f"{', '.join(found.missing)} missing: lists are slower, `stats` cannot count{unlisted}"
    return Finding(Level.NOTE, "search attributes", text, way)


async def _pollers(server: Server, client: Client, task_queue: str) -> list[Finding]:
    last: datetime | None = None
    polling = 0
    for type_ in (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY):
        described = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=client.namespace, task_queue=TaskQueue(name=task_queue), task_queue_type=type_
            )
        )
        for poller in described.pollers:
            polled = poller.last_access_time.ToDatetime(tzinfo=UTC)
            last = polled if last is None or polled > last else last
        polling = max(polling, len({poller.identity for poller in described.pollers}))
    if last is None:
        start = server.command("worker", "--task-queue", task_queue)
        return [Finding(Level.FIX, "task queue", f"nobody polls {task_queue!r}", f"`{start}` starts a worker")]
    polled_ago = ago((datetime.now(UTC) - last).total_seconds())
    return [Finding(Level.OK, "task queue", f"{task_queue}, polled by {many(polling, 'worker')}, last {polled_ago}")]
