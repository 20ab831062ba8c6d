"""A namespace with its retention: created where it is missing, compared where it is there."""

import asyncio
import re
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    DescribeNamespaceRequest,
    RegisterNamespaceRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.errors import BadInput

# A server's parts learn of a new namespace within ten seconds, as they ask for those that there are.
_KNOWN_EVERYWHERE_S: Final = 60.0
_LOOK_AGAIN_S: Final = 0.25
_WRITTEN: Final = re.compile(r"(\d{1,6})([dh])")
_HOURS: Final = {"d": 24, "h": 1}


@dataclass(frozen=True, slots=True)
class FoundNamespace:
    """A namespace, as it was found or created."""

    created: bool
    retention: timedelta
    """How long it keeps what has closed."""


def parse_retention(text: str) -> timedelta:
    """`7d` or `72h`.

    Raises:
        BadInput: it is neither.
    """
    written = _WRITTEN.fullmatch(text)
    if written is None or not int(written[1]):
        raise BadInput(f"a retention is {text!r}; it is a number of days or hours, such as 7d or 72h")
    return timedelta(hours=int(written[1]) * _HOURS[written[2]])


def written_retention(retention: timedelta) -> str:
    """As `parse_retention` reads it."""
    hours = retention // timedelta(hours=1)
    return f"{hours // 24}d" if hours % 24 == 0 else f"{hours}h"


async def find_or_create(client: Client, retention: timedelta) -> FoundNamespace:
    """The client's namespace, usable on return; one that is missing is created with that retention.

    One that is there stays as it is.

    Raises:
        temporalio.service.RPCError: the server refuses, or a new namespace is not usable within a minute.
    """
    there = await _retention(client)
    created = there is None and await _create(client, retention)
    # Also one that somebody else has just created.
    await _until_usable(client)
    if not created:
        # Whoever was faster may have given it another one.
        there = there or await _retention(client)
    return FoundNamespace(created, there or retention)


async def _create(client: Client, retention: timedelta) -> bool:
    kept = Duration()
    kept.FromTimedelta(retention)
    request = RegisterNamespaceRequest(namespace=client.namespace, workflow_execution_retention_period=kept)
    try:
        await client.workflow_service.register_namespace(request)
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
        return False
    return True


async def _retention(client: Client) -> timedelta | None:
    try:
        described = await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace)
        )
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    kept: timedelta = described.config.workflow_execution_retention_ttl.ToTimedelta()
    return kept


async def _until_usable(client: Client) -> None:
    give_up_s = time.monotonic() + _KNOWN_EVERYWHERE_S
    request = CountWorkflowExecutionsRequest(namespace=client.namespace)
    while True:
        try:
            await client.workflow_service.count_workflow_executions(request)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                # It is known, if not for this.
                return
            if time.monotonic() > give_up_s:
                raise
            await asyncio.sleep(_LOOK_AGAIN_S)
        else:
            return
