"""Teams run as usual, then continuing as new at every boundary; some hardly cached besides."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.client import Client

from tests.features.teams.serving import CACHED, CONTINUING, Crew
from tests.support.harness import Mode


@pytest.fixture(params=(CACHED, CONTINUING), ids=lambda mode: mode.name)
def mode(request: pytest.FixtureRequest) -> Mode:
    assert isinstance(request.param, Mode)
    return request.param


@pytest_asyncio.fixture
async def crew(client: Client, mode: Mode) -> AsyncIterator[Crew]:
    """Serves several agents. At the end of the test every run of the tree is folded, compared, replayed."""
    async with Crew(client, mode) as crew:
        yield crew
