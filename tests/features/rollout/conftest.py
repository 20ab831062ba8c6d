"""A server that looks every second whether a version is drained, and deployments on it."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from temporalio.client import Client

from spine_temporal.testing import dev_server
from tests.features.rollout.rollout import QUICK, Rollout


@pytest_asyncio.fixture(scope="session")
async def versioned() -> AsyncIterator[Client]:
    async with dev_server(dynamic_config=QUICK) as server:
        yield server.client


@pytest_asyncio.fixture
async def rollout(versioned: Client, tmp_path: Path) -> AsyncIterator[Rollout]:
    """A deployment without workers yet, on a task queue of its own."""
    async with Rollout(versioned, f"otters-{uuid.uuid4().hex}", tmp_path) as rollout:
        yield rollout
