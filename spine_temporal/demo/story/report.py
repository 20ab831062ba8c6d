"""The proof on the terminal, read anew from the server when the run is over."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.table import Table
from rich.text import Text
from temporalio.client import Client

from spine_temporal.client.run import Run
from spine_temporal.demo.story.activity_log import ActivityLog, CompletedActivity
from spine_temporal.demo.story.calls import CallLog
from spine_temporal.demo.story.checks import Check, gap_s, prove
from spine_temporal.demo.story.pending import describe_now
from spine_temporal.demo.story.screen import Screen
from spine_temporal.format import many, size
from spine_temporal.history.follow import follow


async def show_proof(screen: Screen, client: Client, run: Run, log: CallLog) -> bool:
    """Print it; whether it holds."""
    activities = ActivityLog(client.data_converter)
    fed = [await activities.feed(event) async for event in follow(client, run.workflow_id, run.run_id, wait=False)]
    completed, calls = [each for each in fed if each is not None], log.lines()
    checks = prove(completed, calls)
    screen.heading("The proof: the run's history, held against what the workers wrote down")
    screen.indented(_table(completed))
    screen.space()
    for check in checks:
        screen.indented(_check_row(check))
    _, history_bytes = await describe_now(client, run)
    _numbers(screen, activities, history_bytes, gap_s(completed, calls))
    return all(check.holds for check in checks)


def _table(completed: Sequence[CompletedActivity]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 3, 0, 0))
    table.add_column("steps", justify="right")
    table.add_column("activities completed")
    table.add_column("attempts", justify="right")
    table.add_column("completed by")
    by_step = [
        (step, (_counted(done.name for done in group), attempt, worker))
        for (step, attempt, worker), group in groupby(completed, lambda done: (done.step, done.attempt, done.worker))
    ]
    # Steps in a row that did the same are one row: the proof is to be read at a glance.
    for (names, attempt, worker), same in groupby(by_step, lambda row: row[1]):
        steps = [step for step, _ in same]
        number = str(steps[0]) if len(steps) == 1 else f"{steps[0]}-{steps[-1]}"
        table.add_row(number, names, str(attempt), worker, style="bold yellow" if attempt > 1 else "")
    return table


def _counted(names: Iterable[str]) -> str:
    return ", ".join(name if count == 1 else f"{count} {name}" for name, count in Counter(names).items())


def _check_row(check: Check) -> Table:
    mark = Text("✓", "bold green") if check.holds else Text("✗", "bold red")
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_row(mark, Text(check.text, "" if check.holds else "red"))
    return row


def _numbers(screen: Screen, activities: ActivityLog, history_bytes: int, gap: float | None) -> None:
    state = activities.ledger.state
    steps = max(state.step, 1)
    transcript_bytes = sum(len(message.model_dump_json(exclude_defaults=True)) for message in state.messages)
    screen.space()
    share = history_bytes / max(transcript_bytes, 1)
    screen.fact(
        "history", f"{many(activities.events, 'event')}, {size(history_bytes)}; {share:.1f} times the transcript"
    )
    screen.fact("a step", f"{many(round(activities.events / steps), 'event')}, {size(history_bytes // steps)}")
    if gap is not None:
        screen.fact("gap", f"{gap:.1f} s from the kill to the attempt that took over")
