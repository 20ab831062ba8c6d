"""A process that only starts runs does not load what reads a history; it does when it first reads one."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE

import pytest
from temporalio.client import Client

from tests.features.sessions.talk import new_session, parrot
from tests.support.harness import Durable

pytestmark = pytest.mark.durable

_START = """
import asyncio, json, os, sys
from spine_temporal import DurableAgent
from temporalio.client import Client


def loaded():
    return [name for name in sys.modules if name.startswith("spine_temporal.")]


async def main(address, task_queue, session):
    agent = DurableAgent("agent", await Client.connect(address), task_queue=task_queue)
    await agent.start("one")
    run = await agent.start("two", session_id=session)
    started = loaded()
    result = await run.result()
    print(json.dumps([started, loaded(), result.answer]), flush=True)
    os._exit(0)  # the SDK may hang at exit: temporalio/sdk-python#300


asyncio.run(main(*sys.argv[1:]))
"""


async def test_who_only_starts_runs_loads_nothing_that_reads(client: Client, durable: Durable) -> None:
    served = durable(parrot())
    await served.up()

    address = client.service_client.config.target_host
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _START, address, served.task_queue, new_session(), stdout=PIPE
    )
    printed, _ = await process.communicate()
    started, read, answer = json.loads(printed)

    assert answer == "heard two"
    assert "spine_temporal.history.fold" in read
    assert "spine_temporal.client.run" in started
    assert not [name for name in started if name.startswith("spine_temporal.journal")]
    assert not {"spine_temporal.history.fold", "spine_temporal.client.run_reader"} & {*started}
