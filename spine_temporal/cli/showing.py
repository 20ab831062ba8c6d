"""One run in full: what `spine-temporal show` does."""

import asyncio
import json as json_
from typing import Any

from rich.padding import Padding
from rich.text import Text
from spine_core import Message

from spine_temporal.cli.exits import Exit
from spine_temporal.cli.finding import find
from spine_temporal.cli.inflight import InFlight, in_flight
from spine_temporal.cli.listing import as_json, plain, status_text
from spine_temporal.cli.live import Painter
from spine_temporal.cli.narrator import Narrator
from spine_temporal.cli.screen import facts, stdout, write
from spine_temporal.cli.seen import Seen
from spine_temporal.cli.server import Server
from spine_temporal.cli.ui import page_of
from spine_temporal.cli.wording import call, duration, harmless, many, size, spent
from spine_temporal.history.fold import Fold
from spine_temporal.history.follow import follow

_RESULT_LINES = 6


def show(server: Server, id: str, *, json: bool) -> Exit:
    """Print what is known of the run."""
    asyncio.run(_show(server, id, json=json))
    return Exit.DONE


async def _show(server: Server, id: str, *, json: bool) -> None:
    client = await server.client()
    run, seen, described = await find(client, id)
    fold = Fold(client.data_converter)
    async for event in follow(client, run.workflow_id, run.run_id, wait=False):
        await fold.feed(event)
    now = await in_flight(client, described, fold.ledger)
    page = await page_of(client, run.workflow_id)
    if json:
        write(json_.dumps(_json(seen, fold, now, page), indent=2))
        return
    facts(_facts(seen, fold, now, page))
    _transcript(fold.ledger.state.messages)
    _trace(fold)


def _facts(seen: Seen, fold: Fold, now: list[InFlight], page: str | None) -> list[tuple[str, str | Text]]:
    state, ending = fold.ledger.state, fold.ledger.progress.ending
    told: list[tuple[str, str | Text]] = [
        ("run", Text(seen.id, style="bold")),
        ("agent", seen.agent),
        ("status", status_text(seen)),
        ("started", f"{seen.started.astimezone():%Y-%m-%d %H:%M:%S}, {_took(seen)}"),
        ("usage", f"{many(state.step, 'step')} · {spent(state.usage.total_tokens, state.usage.cost_usd)}"),
        ("history", f"{many(seen.events, 'event')} · {size(seen.bytes)}"),
    ]
    if ending is not None and ending.error:
        told.append(("error", Text(ending.error, style="red")))
    told += [("now" if position == 0 else "", Text(each.told(), style="cyan")) for position, each in enumerate(now)]
    return [*told, ("web UI", page)] if page else told


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


def _json(seen: Seen, fold: Fold, now: list[InFlight], page: str | None) -> dict[str, Any]:
    ending = fold.ledger.progress.ending
    return as_json(seen) | {
        "answer": fold.ledger.progress.answer,
        "error": ending.error if ending else None,
        "in_flight": [plain(each) for each in now],
        "ui": page,
        "usage": fold.ledger.state.usage.model_dump(),
        "state": fold.ledger.state.model_dump(mode="json"),
        "trace": [event.model_dump(mode="json") for event in fold.trace],
    }
