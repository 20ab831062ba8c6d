"""The installed plugins: what `spine-temporal plugins` does."""

import contextlib
import json as json_
import sys
from typing import Final

from rich.text import Text

from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.table import Table
from spine_temporal.cli.terminal import stdout, write
from spine_temporal.client.read_model import ReadModel
from spine_temporal.format import harmless
from spine_temporal.kernel.registries import Kind
from spine_temporal.plugins.allowlist import why_refused
from spine_temporal.plugins.installed import CORE, Plugin, installed
from spine_temporal.plugins.loader import import_problem, registered

_COLUMNS: Final = Table(
    ("KIND", "NAME", "DISTRIBUTION", "VERSION", CORE.upper()),
    last="USABLE",
    kept=("KIND", "NAME"),
    widest=None,
    least=len("USABLE"),
)


class Row(ReadModel):
    """What is printed of one plugin."""

    kind: str
    name: str
    distribution: str
    version: str
    core_range: str
    problem: str | None
    """Why it cannot be used; None: nothing is known against it."""
    registers: tuple[str, ...] = ()
    """The names it registered when it was imported."""


def plugins(*, load: bool, json: bool) -> Exit:
    """Print them; with `load`, after having imported each."""
    # What plugins print while they are imported is no answer.
    with contextlib.redirect_stdout(sys.stderr):
        rows = [_row(plugin, load=load) for plugin in installed()]
    if json:
        write(json_.dumps([row.to_json() for row in rows], indent=2))
        return Exit.DONE
    if not rows:
        stdout().print("no plugins are installed")
        return Exit.DONE
    _COLUMNS.print([_cells(row) for row in rows])
    return Exit.DONE


def _row(plugin: Plugin, *, load: bool) -> Row:
    problem, registers = why_refused(plugin), set[tuple[Kind, str]]()
    if load and problem is None:
        before = _registry()
        problem = import_problem(plugin)
        registers = _registry() - before
    return Row(
        kind=plugin.kind,
        name=plugin.name,
        distribution=plugin.distribution,
        version=plugin.version,
        core_range=plugin.core_range,
        problem=problem,
        registers=tuple(sorted(name for _, name in registers)),
    )


def _registry() -> set[tuple[Kind, str]]:
    return {(kind, name) for kind in Kind for name in registered(kind)}


def _cells(row: Row) -> list[Text]:
    usable = Text(harmless(row.problem), "red") if row.problem else Text("ok", "green")
    if row.registers:
        usable.append(f", registers {', '.join(row.registers)}", "dim")
    return [
        Text(row.kind),
        Text(row.name, "bold"),
        Text(row.distribution),
        Text(row.version),
        Text(row.core_range or "any"),
        usable,
    ]
