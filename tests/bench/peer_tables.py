"""The tables of the other integrations."""

from itertools import groupby

from rich.table import Table

from tests.bench.peer_figures import CPU, Figure, figures
from tests.bench.peer_runs import PeerFindings
from tests.bench.sides import PEERS, TITLES


def peer_tables(found: PeerFindings) -> list[Table]:
    """What each side took, job by job, and who did not take part."""
    by_job = groupby(figures(found), lambda figure: (figure.runs, figure.steps, figure.size))
    return [*(_job(*job, list(of_job)) for job, of_job in by_job), _who(found)]


def _job(runs: int, steps: int, size: int, of_job: list[Figure]) -> Table:
    what = f"{steps} steps, results of {size:,} bytes"
    title = f"{runs} runs at once, each of {what}" if runs > 1 else f"A run of {what}"
    names = list(dict.fromkeys(figure.name for figure in of_job))
    table = Table("medians, x bare", *names, title=title)
    for side, of_side in groupby(of_job, lambda figure: figure.side):
        table.add_row(TITLES[side], *(_cell(figure) for figure in of_side))
    return table


def _cell(figure: Figure) -> str:
    if figure.value is None:
        return "did not finish"
    precise = f"{figure.value:,.2f}" if figure.name.startswith(CPU) else f"{figure.value:,.0f}"
    return f"{precise}  [bold]x {figure.ratio:.2f}"


def _who(found: PeerFindings) -> Table:
    table = Table("other integrations", "", title="Who took part")
    for peer in PEERS:
        if peer in found.missing:
            table.add_row(TITLES[peer], found.missing[peer])
        elif peer in found.versions:
            installed = (f"{name} {version}" for name, version in found.versions[peer].items())
            table.add_row(TITLES[peer], ", ".join(installed))
    for each in found.unfinished:
        table.add_row(TITLES[each.side], f"did not finish {each.steps} steps of {each.size:,} bytes: {each.reason}")
    return table
