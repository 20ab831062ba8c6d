"""With Temporal's external storage, what is too large for the server is nobody's concern."""

import dataclasses
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from spine_core import Agent, Message, ModelResponse, tool
from spine_core.testing import calls, text
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import ExternalStorage, StorageDriver

from spine_temporal import AgentWorker, ContinuePolicy, DurableAgent
from tests.support.storage.directory import DirectoryDriver
from tests.support.storage.s3 import s3_driver, s3_server
from tests.support.waiting import until

pytestmark = pytest.mark.durable

LARGE = 2_100_000


class Fetching:
    """Fetches twice a turn, then says how much it has read."""

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        said = max(at for at, message in enumerate(messages) if message.role == "user")
        done = sum(message.role == "tool" for message in messages[said:])
        read = sum(len(message.content or "") for message in messages if message.role == "tool")
        return calls(("fetch", {"n": done})) if done < 2 else text(f"{read:,}")


@tool
async def fetch(n: int) -> str:
    """Fetch much."""
    return str(n) * LARGE


@asynccontextmanager
async def storing(client: Client, driver: StorageDriver) -> AsyncIterator[Client]:
    converter = dataclasses.replace(pydantic_data_converter, external_storage=ExternalStorage(drivers=[driver]))
    yield await Client.connect(client.service_client.config.target_host, data_converter=converter)


@asynccontextmanager
async def of_kind(kind: str, client: Client, folder: Path) -> AsyncIterator[Client]:
    if kind == "directory":
        async with storing(client, DirectoryDriver(folder)) as stored:
            yield stored
        return
    with s3_server() as url:
        async with s3_driver(url) as driver, storing(client, driver) as stored:
            yield stored


@pytest.mark.parametrize(("kind", "cache_bytes"), [("directory", 0), ("s3", 256_000_000)], ids=["directory", "s3"])
async def test_results_of_any_size_go_through_a_whole_conversation(
    client: Client, tmp_path: Path, kind: str, cache_bytes: int
) -> None:
    async with of_kind(kind, client, tmp_path) as stored:
        queue, session = uuid.uuid4().hex, uuid.uuid4().hex
        agent = Agent(Fetching(), tools=[fetch], name="fetcher")
        async with AgentWorker(
            stored,
            agents=[agent],
            task_queue=queue,
            cache_bytes=cache_bytes,
            continue_policy=ContinuePolicy(events=20),
        ):
            durable = DurableAgent("fetcher", stored, task_queue=queue, session_ttl_s=0)
            first = await durable.run("go", session_id=session)
            # The session is closed by now: it is opened again.
            second = await durable.run("z" * LARGE, session_id=session)
            forked = await (await durable.get_run(session).fork(step=2, input="and now?")).result()
            state = await durable.get_run(session).state()

    assert (first.answer, second.answer, forked.answer) == ("4,200,000", "8,400,000", "8,400,000")
    assert [len(message.content or "") for message in state.messages if message.role == "user"] == [2, LARGE]
    # What is large stands nowhere in the server.
    handle = client.get_workflow_handle(f"spine-{session}")
    assert len((await handle.fetch_history()).to_json()) < 100_000


async def test_storage_that_is_away_is_waited_for(client: Client, tmp_path: Path) -> None:
    driver, made = DirectoryDriver(tmp_path), list[int]()

    @tool
    async def fetch() -> str:
        """Fetch much; meanwhile the disk goes."""
        made.append(1)
        driver.away = True
        return "x" * LARGE

    class Once:
        async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
            return text("done") if messages[-1].role == "tool" else calls(("fetch", {}))

    async with storing(client, driver) as stored:
        queue = uuid.uuid4().hex
        async with AgentWorker(stored, agents=[Agent(Once(), tools=[fetch], name="fetcher")], task_queue=queue):
            run = await DurableAgent("fetcher", stored, task_queue=queue).start("go")
            await until(lambda: made != [], "the tool")
            driver.away = False
            result = await run.result()

    assert (result.answer, len(made)) == ("done", 1)
