"""Whether a server has our search attributes is asked once, and known before any run begins."""

import asyncio

import pytest
from temporalio.client import Client

from spine_temporal.activities.search_attributes import Attributes
from spine_temporal.contracts.search_attributes import NAMES
from spine_temporal.testing import dev_server

pytestmark = pytest.mark.durable


async def test_runs_that_begin_together_all_know_what_there_is() -> None:
    async with dev_server() as server:
        asked: list[Client] = []

        def client() -> Client:
            asked.append(server.client)
            return server.client

        attributes = Attributes()
        found = await asyncio.gather(*(attributes.there(client) for _ in range(20)))

    assert found == [NAMES] * 20
    assert len(asked) == 1


async def test_run_that_is_cancelled_takes_the_answer_from_no_other() -> None:
    async with dev_server() as server:
        attributes = Attributes()
        first, second = (asyncio.create_task(attributes.there(lambda: server.client)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()

        assert await second == NAMES
