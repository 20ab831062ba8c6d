"""The proof on the terminal, read anew from the server when the run is over."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.table import Table
from rich.text import Text
from temporalio.client import Client

from spine_temporal.client.run import Run
from spine_temporal.demo.story.activity_log import Deed, Deeds
from spine_temporal.demo.story.calls import CallLog
from spine_temporal.demo.story.checks import Claim, gap_s, prove
from spine_temporal.demo.story.progress_line import look
from spine_temporal.demo.story.screen import Stage
from spine_temporal.format import many, size
from spine_temporal.history.follow import follow


async def show_proof(stage: Stage, client: Client, run: Run, log: CallLog) -> bool:
    """Print it; whether it holds."""
    deeds = Deeds(client.data_converter)
    fed = [await deeds.feed(event) async for event in follow(client, run.workflow_id, run.run_id, wait=False)]
    done, calls = [deed for deed in fed if deed is not None], log.lines()
    claims = prove(done, calls)
    stage.heading("The proof: the run's history, held against what the workers wrote down")
    stage.indented(_table(done))
    stage.space()
    for claim in claims:
        stage.indented(_claimed(claim))
    _, history_bytes = await look(client, run)
    _numbers(stage, deeds, history_bytes, gap_s(done, calls))
    return all(claim.holds for claim in claims)


def _table(deeds: Sequence[Deed]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 3, 0, 0))
    table.add_column("step", justify="right")
    table.add_column("activities completed")
    table.add_column("attempts", justify="right")
    table.add_column("completed by")
    last = None
    for (step, attempt, worker), group in groupby(deeds, lambda deed: (deed.step, deed.attempt, deed.worker)):
        style = "bold yellow" if attempt > 1 else ""
        number = "" if step == last else str(step)
        table.add_row(number, _counted(deed.name for deed in group), str(attempt), worker, style=style)
        last = step
    return table


def _counted(names: Iterable[str]) -> str:
    return ", ".join(name if count == 1 else f"{count} {name}" for name, count in Counter(names).items())


def _claimed(claim: Claim) -> Table:
    mark = Text("✓", "bold green") if claim.holds else Text("✗", "bold red")
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_row(mark, Text(claim.text, "" if claim.holds else "red"))
    return row


def _numbers(stage: Stage, deeds: Deeds, history_bytes: int, gap: float | None) -> None:
    state = deeds.ledger.state
    steps = max(state.step, 1)
    said_bytes = sum(len(message.model_dump_json(exclude_defaults=True)) for message in state.messages)
    stage.space()
    share = history_bytes / max(said_bytes, 1)
    stage.fact("history", f"{many(deeds.events, 'event')}, {size(history_bytes)}; {share:.1f} times what was said")
    stage.fact("a step", f"{many(round(deeds.events / steps), 'event')}, {size(history_bytes // steps)}")
    if gap is not None:
        stage.fact("gap", f"{gap:.1f} s from the kill to the attempt that took over")
