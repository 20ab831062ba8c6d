"""A server, a project, a worker for it, and the command to talk to them."""

import uuid
from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.client import Client

from tests.rooms.cli.command import CommandLine


@pytest_asyncio.fixture
async def alone(client: Client) -> AsyncIterator[CommandLine]:
    """The command, on a task queue that nobody polls."""
    async with CommandLine(client.service_client.config.target_host, f"cli-{uuid.uuid4().hex}") as command:
        yield command


@pytest_asyncio.fixture(scope="session")
async def command(client: Client) -> AsyncIterator[CommandLine]:
    """The command, on a task queue with a worker for the project."""
    async with CommandLine(client.service_client.config.target_host, f"cli-{uuid.uuid4().hex}") as command:
        worker = await command.start("worker", *command.queue)
        await worker.says("worker ready")
        yield command
