"""Runs moved off a version of their workers: what `spine-temporal drain` does."""

import asyncio
import json as json_
from typing import TYPE_CHECKING, Final

from rich.text import Text

from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.server import Server
from spine_temporal.cli.table import Table
from spine_temporal.cli.terminal import print_facts, write
from spine_temporal.client.drain import Drained, drain
from spine_temporal.client.leaving import CanGoOn
from spine_temporal.format import harmless, many

if TYPE_CHECKING:
    from temporalio.client import Client, WorkflowHistory

_TABLE: Final = Table(headings=("remains",), last="why", kept=("remains",), widest=None, least=40)


def drain_version(
    server: Server, build_id: str, *, deployment: str | None, wait_s: float, replay: bool, json: bool
) -> Exit:
    """Move what can move; print what came of it, and what to do about what remains."""
    drained = asyncio.run(_drained(server, build_id, deployment, wait_s, replay=replay))
    if json:
        write(json_.dumps(drained.to_json(), indent=2))
    else:
        _print(drained)
    return Exit.NO_ANSWER if drained.remaining else Exit.DONE


async def _drained(server: Server, build_id: str, deployment: str | None, wait_s: float, *, replay: bool) -> Drained:
    client = await server.client()
    can_go_on = _replays(client) if replay else None
    return await drain(client, build_id, deployment=deployment, wait_s=wait_s, can_go_on=can_go_on)


def _replays(client: "Client") -> CanGoOn:
    from spine_temporal.worker.replay import replay

    async def can_go_on(history: "WorkflowHistory") -> str | None:
        return (await replay(client.namespace, history, client.data_converter)).problem

    return can_go_on


def _print(drained: Drained) -> None:
    facts = [
        ("version", f"{drained.build_id} of deployment {drained.deployment}, {drained.status}"),
        ("moved", f"{many(drained.moved, 'run')} to {drained.moves_to}"),
        ("remain", many(len(drained.remaining), "workflow")),
    ]
    print_facts(facts)
    if drained.remaining:
        _TABLE.print([[Text(harmless(each.id)), _why(each.why, each.fix)] for each in drained.remaining])


def _why(why: str, fix: str) -> Text:
    return Text.assemble(harmless(why), (f"; {fix}" if fix else "", "cyan"))
