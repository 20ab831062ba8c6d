"""A server is asked for its version once for each client, however many want to know."""

import asyncio

import pytest
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client

from spine_temporal.connection import server_version as module
from spine_temporal.connection.server_version import server_version
from spine_temporal.testing import dev_server

pytestmark = pytest.mark.durable


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[GetSystemInfoRequest]:
    """The requests that were made."""
    made = list[GetSystemInfoRequest]()

    def request() -> GetSystemInfoRequest:
        made.append(GetSystemInfoRequest())
        return made[-1]

    monkeypatch.setattr(module, "GetSystemInfoRequest", request)
    return made


async def another(client: Client) -> Client:
    return await Client.connect(client.service_client.config.target_host)


async def test_many_who_ask_at_once_share_one_answer(client: Client, asked: list[GetSystemInfoRequest]) -> None:
    new = await another(client)

    answers = await asyncio.gather(*(server_version(new) for _ in range(20)))

    assert len(asked) == 1
    assert len({*answers, await server_version(new)}) == 1
    assert answers[0]


async def test_who_asks_first_may_leave(client: Client, asked: list[GetSystemInfoRequest]) -> None:
    new = await another(client)
    first, second = asyncio.create_task(server_version(new)), asyncio.create_task(server_version(new))
    await asyncio.sleep(0)

    first.cancel()

    assert await second
    assert first.cancelled()
    assert len(asked) == 1


async def test_all_who_ask_may_be_cancelled_with_what_they_asked(client: Client) -> None:
    new = await another(client)
    here, asking = asyncio.all_tasks(), asyncio.create_task(server_version(new))
    await asyncio.sleep(0)

    for task in asyncio.all_tasks() - here:
        task.cancel()

    assert await server_version(new)
    assert asking.cancelled()


async def test_two_event_loops_do_not_wait_for_each_other(client: Client) -> None:
    new = await another(client)

    here, there = await asyncio.gather(server_version(new), asyncio.to_thread(asyncio.run, server_version(new)))

    assert here == there != ""


async def test_a_server_that_does_not_answer_is_asked_again(asked: list[GetSystemInfoRequest]) -> None:
    async with dev_server() as server:
        left_alone = await another(server.client)

    assert [await server_version(left_alone), await server_version(left_alone)] == ["", ""]
    assert len(asked) == 2
