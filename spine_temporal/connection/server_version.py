"""The version of the server that a client is connected to."""

import asyncio
from typing import Final
from weakref import WeakKeyDictionary

from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError

_known: Final[WeakKeyDictionary[Client, str]] = WeakKeyDictionary()
_asking: Final[WeakKeyDictionary[Client, asyncio.Task[str]]] = WeakKeyDictionary()


async def server_version(client: Client) -> str:
    """What the server says, asked once for each client; empty: it does not answer, or is the time-skipping test server.

    That one has no version. Of what other servers do, it does most.
    """
    if client in _known:
        return _known[client]
    asking = _asking.get(client)
    # One in another event loop this one cannot wait for; or it was cancelled, with whatever there was.
    if asking is None or asking.cancelling() or asking.get_loop() is not asyncio.get_running_loop():
        asking = _asking[client] = asyncio.create_task(_ask(client))
    return await asyncio.shield(asking)


async def _ask(client: Client) -> str:
    try:
        info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    except RPCError:
        # Whoever asks it for something else hears what is wrong.
        return ""
    finally:
        _asking.pop(client, None)
    _known[client] = info.server_version
    return info.server_version
