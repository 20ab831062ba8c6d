"""One run in full: what `spine-temporal show` does."""

import asyncio
import json as json_

from rich.padding import Padding
from rich.text import Text
from spine_core import Message

from spine_temporal.cli import affairs
from spine_temporal.cli.affairs import Fact
from spine_temporal.cli.exits import Exit
from spine_temporal.cli.listing import status_text
from spine_temporal.cli.live import Painter
from spine_temporal.cli.narrator import Narrator
from spine_temporal.cli.screen import facts, stdout, write
from spine_temporal.cli.seen import Seen
from spine_temporal.cli.server import Server
from spine_temporal.cli.whole import Whole, read_whole
from spine_temporal.format import call, duration, harmless, many, size, spent
from spine_temporal.history.fold import Fold

_RESULT_LINES = 6


def show(server: Server, id: str, *, json: bool) -> Exit:
    """Print what is known of the run."""
    asyncio.run(_show(server, id, json=json))
    return Exit.DONE


async def _show(server: Server, id: str, *, json: bool) -> None:
    whole = await read_whole(await server.client(), id)
    if json:
        write(json_.dumps(whole.as_json(), indent=2))
        return
    facts(_facts(server, whole))
    _transcript(whole.ledger.state.messages)
    _trace(whole.fold)


def _facts(server: Server, whole: Whole) -> list[Fact]:
    seen, state, ending = whole.seen, whole.ledger.state, whole.ledger.progress.ending
    told: list[Fact] = [
        ("run", Text(seen.id, style="bold")),
        ("agent", seen.agent),
        ("status", status_text(seen)),
        *affairs.turns(whole),
        *affairs.lineage(whole),
        ("started", f"{seen.started.astimezone():%Y-%m-%d %H:%M:%S}, {_took(seen)}"),
        ("usage", f"{many(state.step, 'step')} · {spent(state.usage.total_tokens, state.usage.cost_usd)}"),
        ("history", f"{many(seen.events, 'event')} · {size(seen.bytes)}"),
        *affairs.made_of(whole),
        *affairs.helped(whole),
        *affairs.decided(whole),
    ]
    if ending is not None and ending.error:
        told.append(("error", Text(ending.error, style="red")))
    told += [("" if number else "now", Text(each.told(), style="cyan")) for number, each in enumerate(whole.now)]
    told += affairs.waiting(server, whole)
    return [*told, ("web UI", whole.page)] if whole.page else told


def _took(seen: Seen) -> str:
    return f"{duration(seen.took_s)} ago" if seen.going_on else f"took {duration(seen.took_s)}"


def _transcript(messages: list[Message]) -> None:
    for message in messages:
        speaker = message.name or message.role if message.role == "tool" else message.role
        stdout().print(Text(f"\n{speaker}", style="cyan" if message.role == "tool" else "bold"))
        text = harmless(message.content or "").rstrip()
        if message.role == "tool":
            text = _shortened(text)
        if text:
            stdout().print(Padding(Text(text), (0, 0, 0, 2), expand=False))
        for asked in message.tool_calls:
            stdout().print(Text(f"  → {call(asked.name, asked.arguments)}", style="cyan"))


def _shortened(text: str) -> str:
    lines = text.splitlines()
    if len(lines) <= _RESULT_LINES:
        return text
    return "\n".join([*lines[:_RESULT_LINES], f"… {many(len(lines) - _RESULT_LINES, 'more line')}, see --json"])


def _trace(fold: Fold) -> None:
    stdout().print("\n[bold]trace[/]")
    narrator, painter = Narrator(), Painter(stdout())
    for event in fold.trace:
        line = narrator.tell(event)
        if line is not None:
            stdout().print(painter.paint(line), soft_wrap=True)
