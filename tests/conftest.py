"""One real server for the suite; durable tests run with all caches, then without any."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.client import Client

from spine_temporal.testing import dev_server
from tests.support.harness import MODES, Durable, Mode


@pytest_asyncio.fixture(scope="session")
async def client() -> AsyncIterator[Client]:
    # How often the server writes down how far it has come; no history is deleted before that. Stock, it is 30 s.
    async with dev_server(dynamic_config={"history.transferProcessorUpdateAckInterval": "200ms"}) as server:
        yield server.client


@pytest.fixture(params=MODES, ids=lambda mode: mode.name)
def mode(request: pytest.FixtureRequest) -> Mode:
    assert isinstance(request.param, Mode)
    return request.param


@pytest_asyncio.fixture
async def durable(client: Client, mode: Mode) -> AsyncIterator[Durable]:
    """Runs agents durably. At the end of the test every run is folded, compared, replayed."""
    async with Durable(client, mode) as durable:
        yield durable
