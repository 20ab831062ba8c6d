"""The runs there are: what `spine-temporal list` does."""

import asyncio
import dataclasses
import json as json_
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from spine_temporal.cli.exits import Exit
from spine_temporal.cli.screen import note, write
from spine_temporal.cli.searching import latest
from spine_temporal.cli.seen import Seen
from spine_temporal.cli.server import Server
from spine_temporal.cli.table import Table
from spine_temporal.format import ago, duration, first_line, harmless

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_TABLE: Final = Table(
    headings=("run", "agent", "status", "started", "took", "events"),
    last="input",
    always=4,
    widest=60,
    numbers=("started", "took", "events"),
)
_STYLES: Final = {"running": "cyan", "idle": "green"}


def list_runs(server: Server, *, agent: str | None, status: str | None, limit: int, json: bool) -> Exit:
    """Print the newest runs, newest first."""
    runs = asyncio.run(_latest(server, agent, status, limit))
    if json:
        write(json_.dumps([as_json(seen) for seen in runs], indent=2))
    elif runs:
        _TABLE.show([_row(seen) for seen in runs])
    else:
        note("none like that" if agent or status else 'no runs yet; `spine-temporal run AGENT "hello"` begins one')
    return Exit.DONE


def as_json(seen: Seen) -> dict[str, Any]:
    """What is known of a run, for scripts: times as ISO 8601, durations in seconds, sizes in bytes."""
    return {"session_id": seen.id} | plain(seen) | {"duration_s": round(seen.took_s, 3)}


def plain(told: "DataclassInstance") -> dict[str, Any]:
    """A dataclass of ours as JSON has it."""
    fields = dataclasses.asdict(told)
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in fields.items()}


def status_text(seen: Seen) -> Text:
    """Where the run is, in one word; with the reason it ended when that is not a final answer."""
    if seen.status == "completed" and seen.reason == "final":
        return Text("completed", style="green")
    text = f"completed: {seen.reason}" if seen.status == "completed" else seen.status
    return Text(text, style=_STYLES.get(seen.status, "yellow"))


async def _latest(server: Server, agent: str | None, status: str | None, limit: int) -> list[Seen]:
    return await latest(await server.client(), agent=agent, status=status, limit=limit)


def _row(seen: Seen) -> list[Text]:
    started = ago((datetime.now(UTC) - seen.started).total_seconds())
    # Of a run that goes on, a server's list does not tell how many.
    events = f"{seen.events:,}" if seen.events else ""
    told = (seen.id, seen.agent, status_text(seen), started, duration(seen.took_s), events)
    row = [Text(harmless(each)) if isinstance(each, str) else each for each in told]
    return [*row, Text(first_line(seen.input), "dim")]
