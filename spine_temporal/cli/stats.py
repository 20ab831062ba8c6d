"""What runs have used up: what `spine-temporal stats` does."""

import asyncio
import json as json_
from collections.abc import Sequence
from typing import Final

from rich.text import Text

from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.filter_options import FilterOptions
from spine_temporal.cli.server import Server
from spine_temporal.cli.table import Table
from spine_temporal.cli.terminal import message, note, write
from spine_temporal.client.run_filter import RunFilter
from spine_temporal.client.stats import Dimension, RunStats, StatsRow, read_stats
from spine_temporal.format import harmless, many

_NUMBERS: Final = ("runs", "steps", "tokens", "cost")


def stats(server: Server, options: FilterOptions, *, by: Sequence[Dimension], json: bool) -> Exit:
    """Print the sums, the dearest first, with the total below them."""
    found = asyncio.run(_read(server, options.wanted(), tuple(dict.fromkeys(by))))
    if json:
        write(json_.dumps(found.to_json(), indent=2))
    elif found.rows:
        table = Table(headings=(*found.by, *_NUMBERS), last="unknown cost", kept=found.by, widest=40, numbers=_NUMBERS)
        total = [] if len(found.rows) == 1 else [_cells(found.by, found.total, "total")]
        table.print([*(_cells(found.by, row) for row in found.rows), *total])
    else:
        note("no runs like that" if options.given else "no runs that can be counted")
    _warn(server, found)
    return Exit.DONE


async def _read(server: Server, wanted: RunFilter, by: Sequence[Dimension]) -> RunStats:
    return await read_stats(await server.client(), wanted, by=by)


def _cells(by: Sequence[Dimension], row: StatsRow, first: str = "") -> list[Text]:
    # As elsewhere in a table, "-" is what there is none of.
    keys = ["" if first else harmless(getattr(row, name) or "-") for name in by]
    keys[0] = first or keys[0]
    cost = "" if row.cost_usd is None else f"${row.cost_usd:,.4f}"
    unknown = f"of {many(row.unpriced_runs, 'run')}" if row.unpriced_runs else ""
    texts = [*keys, f"{row.runs:,}", f"{row.steps:,}", f"{row.tokens:,}", cost, unknown]
    return [Text(text, style="bold" if first else "") for text in texts]


def _warn(server: Server, found: RunStats) -> None:
    way = server.command("init")
    if found.unindexed_runs:
        what = f"{many(found.unindexed_runs, 'run')} set no search attributes, and could not be counted"
        lacking = bool(found.missing_attributes)
        then = f"`{way}` creates them for runs to come" if lacking else "they began before there were any"
        message("note", f"{what}; {then}", "yellow")
    elif found.missing_attributes:
        message("note", f"the server lacks {', '.join(found.missing_attributes)}; `{way}` creates them", "yellow")
