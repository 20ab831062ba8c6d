"""How much work a task queue has: what `spine-temporal scale` does."""

import asyncio
import json as json_

from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.server import Server
from spine_temporal.cli.terminal import print_facts, write
from spine_temporal.client.scale import ScaleSignal, scale_signal


def scale(server: Server, task_queue: str, *, build_id: str | None, deployment: str | None, json: bool) -> Exit:
    """Print what an autoscaler is answered."""
    found = asyncio.run(_signal(server, task_queue, build_id, deployment))
    if json:
        write(f"{json_.dumps(found.to_json(), indent=2)}\n")
    else:
        print_facts(
            [
                ("work", str(found.value)),
                ("tasks that wait for a worker", str(found.backlog)),
                ("at work on workers", str(found.in_hand)),
            ]
        )
    return Exit.DONE


async def _signal(server: Server, task_queue: str, build_id: str | None, deployment: str | None) -> ScaleSignal:
    return await scale_signal(await server.client(), task_queue, build_id, deployment=deployment)
