"""Records histories of this version: `python -m tests.replay.record`, needs the `temporal` binary.

Those that are there are kept; with `--again` they are recorded anew.
"""

import asyncio
import os
import sys

from spine_core import Agent
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.client import Client

import spine_temporal
from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.middleware import Idempotency, RateLimit, TenantBudget
from spine_temporal.testing import dev_server
from tests.replay.runs import RUNS
from tests.replay.scenes import SCENES
from tests.replay.stored import GUARDS, RECORDER, Stored, guards_of, scenes_of, write_guard, write_scene
from tests.support.agents_at_hand import add


async def record(*, again: bool) -> None:
    async with dev_server() as server:
        client = await Client.connect(server.address, identity=RECORDER)
        for name, make in RUNS.items():
            if Stored(spine_temporal.__version__, name).exists and not again:
                continue
            recorded = make()
            async with AgentWorker(client, agents={"agent": recorded.agent}, identity=RECORDER):
                # Named, it begins as an unnamed run does: as one of its own, that ends with its turn.
                run = await DurableAgent("agent", client, session_ttl_s=0).start("count the otters", session_id=name)
                await recorded.meanwhile(run)
                result = await run.result()
            history = await client.get_workflow_handle(run.workflow_id, run_id=run.run_id).fetch_history()
            stored = Stored(spine_temporal.__version__, name)
            stored.write(history, result)
            print(f"{stored}: {len(history.events)} events, {result.stopped_reason.value}: {result.answer}")
        if again or not guards_of(spine_temporal.__version__):
            await record_guards(client)
    for name in SCENES:
        await record_scene(name, again=again)


async def record_scene(name: str, *, again: bool) -> None:
    """Play the scene on a server of its own, keep all that it left there."""
    if not again and any(file.parent.name == name for file in scenes_of(spine_temporal.__version__)):
        return
    async with dev_server() as server:
        client = await Client.connect(server.address, identity=RECORDER)
        await SCENES[name](client)
        found = [each async for each in client.list_workflows("WorkflowType STARTS_WITH 'spine.'")]
        found.sort(key=lambda each: (each.start_time, each.run_id))
        histories = [await client.get_workflow_handle(each.id, run_id=each.run_id).fetch_history() for each in found]
    write_scene(spine_temporal.__version__, name, histories)
    print(f"{name}: {len(histories)} executions, {sum(len(each.events) for each in histories)} events")


async def record_guards(client: Client) -> None:
    """Two runs that are guarded; what is kept are the histories of what guards them."""
    pay = calls(("add", {"a": 1, "b": 2}), cost_usd=0.25)
    guards = [TenantBudget(max_cost_usd=5.0), RateLimit(100), Idempotency()]
    agent = Agent(ScriptedProvider(pay, text("3"), pay, text("3 again")), tools=[add], middleware=guards)
    async with AgentWorker(client, agents={"agent": agent}, identity=RECORDER):
        for _ in range(2):
            await DurableAgent("agent", client).run("count the otters")
    kept = [each async for each in client.list_workflows(f"WorkflowType IN {GUARDS}")]
    while len(kept) < len(GUARDS):
        kept = [each async for each in client.list_workflows(f"WorkflowType IN {GUARDS}")]
    for each in kept:
        history = await client.get_workflow_handle(each.id).fetch_history()
        write_guard(spine_temporal.__version__, each.workflow_type, history)
        print(f"{each.workflow_type}: {len(history.events)} events")


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(record(again="--again" in sys.argv), timeout=60))
    sys.stdout.flush()
    os._exit(0)  # the SDK may hang at exit: temporalio/sdk-python#300
