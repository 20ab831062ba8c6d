"""Records histories of this version: `python -m tests.replay.record`, needs the `temporal` binary.

Those that are there are kept; with `--again` they are recorded anew.
"""

import asyncio
import os
import sys

from temporalio.client import Client

import spine_temporal
from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.testing import dev_server
from tests.replay.runs import RUNS
from tests.replay.stored import RECORDER, Stored


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


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(record(again="--again" in sys.argv), timeout=60))
    sys.stdout.flush()
    os._exit(0)  # the SDK may hang at exit: temporalio/sdk-python#300
