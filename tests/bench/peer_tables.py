"""The table of the other integrations."""

from itertools import groupby

from rich.console import Group
from rich.table import Table
from rich.text import Text

from tests.bench.peer_figures import Figure, figures
from tests.bench.peer_findings import PeerFindings
from tests.bench.shortfall import shortfall
from tests.bench.sides import TITLES

_NOT_MEASURED = "-"


def peer_tables(found: PeerFindings) -> Group:
    """What each side took, job by job; below it who they are, who did not finish what, who took no part."""
    title = "The same job on other integrations: bare in its units, the others x bare; medians"
    table = Table("", *(TITLES[side] for side in found.sides), title=title)
    for what, of_job in groupby(figures(found), lambda figure: figure.what):
        table.add_row(f"[bold]{what}")
        for name, of_name in groupby(of_job, lambda figure: figure.name):
            table.add_row(f"  {name}", *(_cell(figure) for figure in of_name))
        table.add_section()
    return Group(table, *(Text(line) for line in _lines(found)))


def _cell(figure: Figure) -> str:
    if figure.value is None or figure.ratio is None:
        return f"[red]{shortfall(figure.reason)}" if figure.reason else _NOT_MEASURED
    if figure.side == "bare":
        return f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:,.2f}"
    return f"x {figure.ratio:,.2f}"


def _lines(found: PeerFindings) -> list[str]:
    return [
        *(
            f"{TITLES[peer]}: {', '.join(f'{name} {version}' for name, version in known.items())}"
            for peer, known in found.versions.items()
        ),
        *(f"{TITLES[each.side]} did not finish {each.what}: {each.reason}" for each in found.unfinished),
        *(f"{TITLES[peer]} took no part: {reason}" for peer, reason in found.absent.items()),
    ]
