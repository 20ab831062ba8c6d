"""A server that has the search attributes, as a dev server has them from the start."""

from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.client import Client

from spine_temporal.testing import dev_server


@pytest_asyncio.fixture(scope="package")
async def indexed() -> AsyncIterator[Client]:
    """A client of it."""
    async with dev_server() as server:
        yield server.client
