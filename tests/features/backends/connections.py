"""An end to the connections that a backend of spine's opened by itself."""

from typing import Any


async def disconnect(backend: Any) -> None:
    """Close what it has open; spine's backends have no method for that, and each warns of it when it is collected."""
    if (client := getattr(backend, "_client", None)) is not None:
        await client.aclose()
    if (pool := getattr(backend, "_pool", None)) is not None:
        pool.terminate()
