"""One run in full: what `spine-temporal show` does."""

import asyncio
import json as json_
from collections.abc import Sequence
from typing import Final

from rich.padding import Padding
from rich.text import Text
from spine_core import Message, TraceEvent

from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.follow import LinePainter
from spine_temporal.cli.server import Server
from spine_temporal.cli.show_facts import facts_of
from spine_temporal.cli.terminal import print_facts, stdout, write
from spine_temporal.cli.trace_lines import TraceLines
from spine_temporal.client.describe_run import describe_run
from spine_temporal.client.description import RunDescription
from spine_temporal.format import call, harmless, many

_RESULT_LINES: Final = 6


def show(server: Server, id: str, *, json: bool) -> Exit:
    """Print what is known of the run."""
    run = asyncio.run(_describe(server, id))
    if json:
        write(json_.dumps(run.to_json(), indent=2))
        return Exit.DONE
    print_facts(facts_of(server, run, id))
    _print_transcript(run.state.messages)
    _print_trace(run.trace)
    return Exit.DONE


async def _describe(server: Server, id: str) -> RunDescription:
    return await describe_run(await server.client(), id)


def _print_transcript(messages: Sequence[Message]) -> None:
    for message in messages:
        speaker = message.name or message.role if message.role == "tool" else message.role
        stdout().print(Text(f"\n{harmless(speaker)}", style="cyan" if message.role == "tool" else "bold"))
        text = harmless(message.content or "").rstrip()
        if message.role == "tool":
            text = _first_lines(text)
        if text:
            stdout().print(Padding(Text(text), (0, 0, 0, 2), expand=False))
        for asked in message.tool_calls:
            stdout().print(Text(f"  → {call(asked.name, asked.arguments)}", style="cyan"))


def _first_lines(text: str) -> str:
    lines = text.splitlines()
    if len(lines) <= _RESULT_LINES:
        return text
    return "\n".join([*lines[:_RESULT_LINES], f"… {many(len(lines) - _RESULT_LINES, 'more line')}, see --json"])


def _print_trace(events: Sequence[TraceEvent]) -> None:
    stdout().print("\n[bold]trace[/]")
    lines, painter = TraceLines(), LinePainter(stdout())
    for event in events:
        line = lines.add(event)
        if line is not None:
            stdout().print(painter.paint(line), soft_wrap=True)
