"""The worker process of one side; it works until its stdin ends, then says what its cache counted."""

import asyncio
import contextlib
import json
import os
import sys

from temporalio.client import Client
from temporalio.worker import Worker

from tests.bench.working import OPTIONS, until_told


async def serve(side: str, address: str, task_queue: str, middleware: str, options: str) -> dict[str, int]:
    """Work for that side until stdin ends; how often the cache had a State, how often the history was folded."""
    client = await Client.connect(address)
    # Each side imports its own: what a bare worker holds is not to be that of ours.
    if side in ("bare", "bare_local"):
        from tests.bench import bare

        plain = Worker(
            client,
            task_queue=task_queue,
            workflows=[bare.BareAgent if side == "bare" else bare.BareLocalAgent],
            activities=[bare.model, bare.tool],
            **OPTIONS,
        )
        async with plain:
            await until_told()
        return {}
    if side == "streams":
        from tests.bench.streamers import StreamedAnswer, publish

        streams = Worker(client, task_queue=task_queue, workflows=[StreamedAnswer], activities=[publish], **OPTIONS)
        async with streams:
            await until_told()
        return {}
    from spine_temporal import AgentWorker
    from tests.bench import ours, streamers, talking, waiting

    others = [waiting.agent(), streamers.agent(), *talking.agents()]
    agents = [ours.agent(hooked=middleware == "hooked", local=side == "local"), *others]
    worker = AgentWorker(client, agents=agents, task_queue=task_queue, **OPTIONS | json.loads(options))
    async with worker:
        await until_told()
    cache = worker.plugin.activities_of_agents.cache
    return {"folds": cache.folds, "hits": cache.hits}


if __name__ == "__main__":
    counted = json.dumps(asyncio.run(serve(*sys.argv[1:])))
    with contextlib.suppress(BrokenPipeError):
        print(counted, flush=True)
    # Interpreter exit with temporalio loaded may segfault (sdk-python#300).
    os._exit(0)
