"""The runs there are: what `spine-temporal list` does."""

import asyncio
import dataclasses
import json as json_
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from spine_temporal.cli.exits import Exit
from spine_temporal.cli.finding import latest
from spine_temporal.cli.screen import note, stdout, write
from spine_temporal.cli.seen import Seen
from spine_temporal.cli.server import Server
from spine_temporal.cli.wording import ago, duration, first_line, harmless

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_HEADINGS: Final = ("run", "agent", "status", "started", "took", "events")
_NUMBERS: Final = ("started", "took", "events")
_GAP: Final = "  "
_ALWAYS: Final = 4
_WIDEST_INPUT: Final = 60


def list_runs(server: Server, *, agent: str | None, status: str | None, limit: int, json: bool) -> Exit:
    """Print the newest runs, newest first."""
    runs = asyncio.run(_latest(server, agent, status, limit))
    if json:
        write(json_.dumps([as_json(seen) for seen in runs], indent=2))
    elif runs:
        _print(runs)
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
    """Temporal's word for where the run is, with the reason it ended when that is not a final answer."""
    if seen.status == "running":
        return Text("running", style="cyan")
    if seen.status == "completed" and seen.reason == "final":
        return Text("completed", style="green")
    return Text(f"completed: {seen.reason}" if seen.status == "completed" else seen.status, style="yellow")


async def _latest(server: Server, agent: str | None, status: str | None, limit: int) -> list[Seen]:
    return await latest(await server.client(), agent=agent, status=status, limit=limit)


def _print(runs: list[Seen]) -> None:
    rows = [[Text(heading, "dim") for heading in _HEADINGS], *map(_row, runs)]
    widths = [max(row[column].cell_len for row in rows) + len(_GAP) for column in range(len(_HEADINGS))]
    # A narrow terminal gets fewer columns, never a part of an id: that is there to be copied.
    while sum(widths) > stdout().width and len(widths) > _ALWAYS:
        widths.pop()
    room = min(stdout().width - sum(widths), _WIDEST_INPUT)
    for row, said in zip(rows, ["input", *(first_line(seen.input) for seen in runs)], strict=True):
        for cell, width, heading in zip(row, widths, _HEADINGS, strict=False):
            cell.align("right" if heading in _NUMBERS else "left", width - len(_GAP))
        shown = Text(said, "dim")
        shown.truncate(room, overflow="ellipsis")
        line = Text(_GAP).join([*row[: len(widths)], shown] if room > len("input") else row[: len(widths)])
        line.rstrip()
        stdout().print(line, soft_wrap=True)


def _row(seen: Seen) -> list[Text]:
    started = ago((datetime.now(UTC) - seen.started).total_seconds())
    told = (seen.id, seen.agent, status_text(seen), started, duration(seen.took_s), f"{seen.events:,}")
    return [Text(harmless(each)) if isinstance(each, str) else each for each in told]
