"""A stage for workers and MCP servers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from temporalio.client import Client

from tests.features.adapters.processes import Stage


@pytest_asyncio.fixture
async def stage(client: Client, tmp_path: Path) -> AsyncIterator[Stage]:
    async with Stage(client, tmp_path) as stage:
        yield stage
