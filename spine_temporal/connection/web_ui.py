"""Where Temporal's web UI is."""

import asyncio
import contextlib
from typing import Final
from urllib.parse import quote

from temporalio.client import Client

LOCAL: Final = ("127.0.0.1", "localhost", "[::1]")
UI_PORT_OFFSET: Final = 1000
"""A dev server's UI listens this far above its port, unless it is configured otherwise."""

_CLOUD: Final = (".tmprl.cloud", ".api.temporal.io")
_LOOK_S: Final = 0.3


def is_cloud(client: Client) -> bool:
    """Whether the server is Temporal Cloud, as far as its address says."""
    return client.service_client.config.target_host.rpartition(":")[0].endswith(_CLOUD)


async def ui_of(client: Client) -> str | None:
    """The address of the UI; known for Temporal Cloud, and for a dev server on this machine if its UI answers."""
    host, _, port = client.service_client.config.target_host.rpartition(":")
    if is_cloud(client):
        return "https://cloud.temporal.io"
    if host in LOCAL and await _answers(host, int(port) + UI_PORT_OFFSET):
        return f"http://{host}:{int(port) + UI_PORT_OFFSET}"
    return None


async def page_of(client: Client, workflow_id: str) -> str | None:
    """The address of the page that shows the run, where a UI is known of."""
    ui = await ui_of(client)
    return ui and f"{ui}/namespaces/{quote(client.namespace)}/workflows/{quote(workflow_id, safe='')}"


async def _answers(host: str, port: int) -> bool:
    with contextlib.suppress(OSError):
        async with asyncio.timeout(_LOOK_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), port)
            writer.close()
            return True
    return False
