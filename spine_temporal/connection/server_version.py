"""The version of the server that a client is connected to."""

from typing import Final
from weakref import WeakKeyDictionary

from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError

_known: Final[WeakKeyDictionary[Client, str]] = WeakKeyDictionary()


async def server_version(client: Client) -> str:
    """What the server says, asked once for each client; empty: it does not answer, or is the time-skipping test server.

    That one has no version. Of what other servers do, it does most.
    """
    if client not in _known:
        try:
            info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
        except RPCError:
            # Whoever asks it for something else hears what is wrong.
            return ""
        _known[client] = info.server_version
    return _known[client]
