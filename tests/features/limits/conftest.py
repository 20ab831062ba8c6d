from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.client import Client

from spine_temporal.testing import dev_server
from tests.features.limits.narrow import LIMIT


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def narrow() -> AsyncIterator[Client]:
    """A server whose payloads hold 300,000 bytes."""
    async with dev_server(dynamic_config={"limit.blobSize.error": LIMIT}) as server:
        yield server.client
