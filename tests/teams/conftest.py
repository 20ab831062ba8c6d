"""Teams run with caches, hardly with any, or continuing as new at every boundary."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.client import Client

from spine_temporal.contracts.policy import ContinuePolicy
from tests.harness import MODES, Mode
from tests.teams.serving import Crew

# Of two: the SDK stalls when it may keep fewer workflows than are within a local activity, as all are that begin.
SMALL = Mode("hardly_cached", {"max_cached_workflows": 2, "cache_bytes": 0})
CONTINUING = Mode("continuing", {"continue_policy": ContinuePolicy(events=1)})


@pytest.fixture(params=(MODES[0], SMALL, CONTINUING), ids=lambda mode: mode.name)
def mode(request: pytest.FixtureRequest) -> Mode:
    assert isinstance(request.param, Mode)
    return request.param


@pytest_asyncio.fixture
async def crew(client: Client, mode: Mode) -> AsyncIterator[Crew]:
    """Serves several agents. At the end of the test every run of the tree is folded, compared, replayed."""
    async with Crew(client, mode) as crew:
        yield crew
