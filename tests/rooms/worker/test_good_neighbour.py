"""A worker in somebody's process leaves the process to them."""

import asyncio
import atexit
import os
import signal
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from spine_core import Agent
from spine_core.testing import ScriptedProvider, text
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.worker.worker import _sigterm

pytestmark = pytest.mark.durable


def worker_of(client: Client) -> AgentWorker:
    agent = Agent(ScriptedProvider(text("hello")), name="assistant")
    return AgentWorker(client, agents=[agent], task_queue=f"neighbour-{uuid.uuid4().hex}")


async def answer_of(client: Client, worker: AgentWorker) -> str | None:
    return (await DurableAgent("assistant", client, task_queue=worker.task_queue).run("hi")).answer


@contextmanager
def handled(number: signal.Signals, handler: Any) -> Iterator[None]:
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


async def test_sigterm_stops_a_worker_whose_program_does_not_handle_it(client: Client) -> None:
    worker = worker_of(client)
    with handled(signal.SIGTERM, signal.SIG_DFL):
        running, handlers = asyncio.create_task(worker.run()), atexit._ncallbacks()
        assert await answer_of(client, worker) == "hello"

        os.kill(os.getpid(), signal.SIGTERM)

        await running
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        assert atexit._ncallbacks() == handlers


async def test_a_second_sigterm_is_the_systems_again() -> None:
    with handled(signal.SIGTERM, signal.SIG_DFL), _sigterm() as stopped:
        os.kill(os.getpid(), signal.SIGTERM)
        await stopped.wait()

        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


async def test_a_hosts_own_handlers_are_left_to_it(client: Client) -> None:
    worker, received = worker_of(client), list[int]()
    theirs = lambda number, _: received.append(number)  # noqa: E731
    with handled(signal.SIGTERM, theirs), handled(signal.SIGINT, theirs):
        running = asyncio.create_task(worker.run())
        assert await answer_of(client, worker) == "hello"

        for number in (signal.SIGTERM, signal.SIGINT):
            assert signal.getsignal(number) is theirs
            os.kill(os.getpid(), number)

        assert await answer_of(client, worker) == "hello"
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        assert signal.getsignal(signal.SIGTERM) is theirs
    assert received == [signal.SIGTERM, signal.SIGINT]


async def test_a_handler_that_the_host_sets_meanwhile_stays(client: Client) -> None:
    worker = worker_of(client)
    theirs = lambda *_: None  # noqa: E731
    with handled(signal.SIGTERM, signal.SIG_DFL):
        running = asyncio.create_task(worker.run())
        assert await answer_of(client, worker) == "hello"
        signal.signal(signal.SIGTERM, theirs)

        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

        assert signal.getsignal(signal.SIGTERM) is theirs


async def test_a_worker_runs_in_a_thread_that_is_not_the_main_one(client: Client) -> None:
    address, answers = client.service_client.config.target_host, list[str | None]()

    async def work() -> None:
        theirs = await Client.connect(address)
        worker = worker_of(theirs)
        running = asyncio.create_task(worker.run())
        answers.append(await answer_of(theirs, worker))
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    thread = threading.Thread(target=lambda: asyncio.run(work()))
    thread.start()
    await asyncio.to_thread(thread.join)

    assert answers == ["hello"]
