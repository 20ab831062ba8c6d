"""What the server holds all workers of a task queue to: what `spine-temporal limits` does."""

import asyncio
import json as json_
from collections.abc import Mapping, Sequence

from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.server import Server
from spine_temporal.cli.terminal import print_facts, write
from spine_temporal.client.queue_limits import QueueLimits, queue_limits, set_queue_limits
from spine_temporal.errors import BadInput


def limits(
    server: Server,
    task_queue: str,
    *,
    per_second: float | None,
    tenant_per_second: float | None,
    weights: Sequence[str],
    json: bool,
) -> Exit:
    """Change what is given, print what is in force."""
    shares = _weights(weights)
    found = asyncio.run(_limits(server, task_queue, per_second, tenant_per_second, shares))
    if json:
        write(json_.dumps(found.to_json(), indent=2))
        return Exit.DONE
    facts = [
        ("steps and tool calls begun per second", _rate(found.per_second)),
        ("of each tenant", _rate(found.tenant_per_second)),
        *((f"weight of {tenant}", f"{weight:g}") for tenant, weight in sorted(found.weights.items())),
    ]
    print_facts(facts)
    return Exit.DONE


async def _limits(
    server: Server,
    task_queue: str,
    per_second: float | None,
    tenant_per_second: float | None,
    weights: Mapping[str, float | None],
) -> QueueLimits:
    client = await server.client()
    if per_second is None and tenant_per_second is None and not weights:
        return await queue_limits(client, task_queue)
    return await set_queue_limits(
        client, task_queue, per_second=per_second, tenant_per_second=tenant_per_second, weights=weights
    )


def _weights(given: Sequence[str]) -> dict[str, float | None]:
    weights: dict[str, float | None] = {}
    for each in given:
        tenant, _, number = each.rpartition("=")
        try:
            weights[tenant] = float(number) if number else None
        except ValueError:
            tenant = ""
        if not tenant:
            raise BadInput(f"--weight is {each!r}; it is TENANT=NUMBER, or TENANT= for the ordinary weight again")
    return weights


def _rate(per_second: float | None) -> str:
    return "no limit" if per_second is None else f"{per_second:g}"
