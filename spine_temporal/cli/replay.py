"""What `spine-temporal replay` does: whether this version can go on with runs."""

import asyncio
import json as json_
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.text import Text

from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.server import Server
from spine_temporal.cli.table import Table
from spine_temporal.cli.terminal import message, note, write
from spine_temporal.errors import BadInput
from spine_temporal.format import harmless

if TYPE_CHECKING:
    from spine_temporal.worker.replay import Replayed

_TABLE: Final = Table(
    headings=("workflow", "run", "type", "events"),
    last="replays",
    kept=("workflow",),
    widest=None,
    least=30,
    numbers=("events",),
)


def replay(server: Server, files: Sequence[Path], *, query: str | None, limit: int, json: bool) -> Exit:
    """Replay histories from files, or those that a query finds; print what came of each."""
    if bool(files) == (query is not None):
        raise BadInput("replay takes files with histories, or --query for those of the server: one of both")
    replayed = asyncio.run(_replayed(server, files, query, limit))
    failed = [each for each in replayed if each.problem is not None]
    if json:
        write(json_.dumps([each.to_json() for each in replayed], indent=2))
    elif not replayed:
        note("the query finds no run")
    else:
        _TABLE.print([_row(each) for each in replayed])
        if not failed:
            note(f"{len(replayed)} replay")
    if failed:
        of = f"{len(failed)} of {len(replayed)} do not replay"
        message("error", f"{of}: workers of this version could not go on with them; let them end on the old one", "red")
    return Exit.NO_ANSWER if failed else Exit.DONE


async def _replayed(server: Server, files: Sequence[Path], query: str | None, limit: int) -> list["Replayed"]:
    from temporalio.converter import DataConverter

    from spine_temporal.connection.settings import connect_options
    from spine_temporal.worker.replay import read_files, read_found
    from spine_temporal.worker.replay import replay as replay_one

    if query is None:
        # No server is needed; keys may be.
        converter = connect_options(**server.overrides).get("data_converter", DataConverter.default)
        return [await replay_one(source, history, converter) for source, history in read_files(files)]
    client = await server.client()
    return [
        await replay_one(source, history, client.data_converter)
        async for source, history in read_found(client, query, limit)
    ]


def _row(replayed: "Replayed") -> list[Text]:
    cells = (replayed.workflow_id, replayed.run_id, replayed.type, f"{replayed.events:,}")
    if replayed.problem is None:
        last = Text("yes", style="green")
    else:
        at = f"event {replayed.event_id}: " if replayed.event_id is not None else ""
        last = Text(harmless(f"{at}{' '.join(replayed.problem.split())}"), style="bold red")
    return [*(Text(harmless(cell)) for cell in cells), last]
