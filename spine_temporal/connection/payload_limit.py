"""The size that a namespace of a server takes."""

from datetime import timedelta
from typing import Final
from weakref import WeakKeyDictionary

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from spine_temporal.contracts.limits import MAX_PAYLOAD_BYTES, within
from spine_temporal.payloads import sent_bytes

# No server takes less than this; whoever sends less need not ask.
_ALWAYS_BYTES: Final = 100_000

# Where large payloads are stored elsewhere, memory is what limits them.
_STORED_BYTES: Final = 100_000_000
_ASK_FOR: Final = timedelta(seconds=5)

_known: Final[WeakKeyDictionary[Client, int]] = WeakKeyDictionary()


async def payload_limit(client: Client) -> int:
    """The largest payload, in bytes, that the client's namespace takes; asked for once per client.

    A server that does not say, or does not let the client ask, has the limit of a stock one. What is stored elsewhere
    is a few bytes for the server, however large it is.
    """
    if client.data_converter.external_storage is not None:
        return _STORED_BYTES
    if client not in _known:
        try:
            described = await client.workflow_service.describe_namespace(
                DescribeNamespaceRequest(namespace=client.namespace), timeout=_ASK_FOR
            )
        except (RPCError, RuntimeError):
            # RuntimeError: a client that connects when it is first used could not.
            return MAX_PAYLOAD_BYTES
        _known[client] = within(described.namespace_info.limits.blob_size_limit_error)
    return _known[client]


async def excess(data: bytes, client: Client) -> tuple[int, int] | None:
    """The bytes that the server would get of that JSON, and those that it takes; None: it takes it."""
    return await beyond(await sent_bytes(data, client.data_converter), client)


async def beyond(size_bytes: int, client: Client) -> tuple[int, int] | None:
    """The size, and what the server takes of one; None: it takes it."""
    if size_bytes <= _ALWAYS_BYTES:
        return None
    limit_bytes = await payload_limit(client)
    return (size_bytes, limit_bytes) if size_bytes > limit_bytes else None
