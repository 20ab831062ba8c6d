"""What people, other agents, other runs have to do with a run, as facts to print."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from rich.text import Text

from spine_temporal.cli.asked import told, ways
from spine_temporal.cli.finding import named
from spine_temporal.cli.helpers import Helper
from spine_temporal.cli.server import Server
from spine_temporal.cli.whole import Whole
from spine_temporal.format import ago, shortened
from spine_temporal.journal.ledger import DecisionRecord

_WIDEST: Final = 200
_STYLES: Final = {"running": "cyan", "paused": "yellow", "final": "green"}

type Fact = tuple[str, str | Text]


def lineage(whole: Whole) -> Iterator[Fact]:
    """Where the run comes from."""
    origin, above = whole.forked_from, whole.works_for
    if origin is not None:
        yield "origin", f"forked from {named(origin.workflow_id)} after step {origin.step}"
    if above is not None:
        yield "works for", f"{above[0]}, call {above[1]}"
    if whole.continues is not None:
        yield "continues", f"execution {whole.continues}"


def turns(whole: Whole) -> Iterator[Fact]:
    """Which turn of the conversation is in hand, which wait."""
    turn, queue = whole.ledger.progress.turn, whole.ledger.queue
    if turn > 1 or queue or whole.seen.status == "idle":
        yield "turn", f"{turn}" + (f", {len(queue)} more in the queue" if queue else "")
    for queued in queue:
        yield "", Text(f"turn {queued.turn}: {shortened(queued.input, _WIDEST)}", "dim")


def waiting(server: Server, whole: Whole) -> Iterator[Fact]:
    """What waits for a person, with the lines to type to decide on it."""
    run = named(whole.seen.workflow_id)
    for number, (approval, way) in enumerate(zip(whole.pending, ways(server, whole.pending, run), strict=True)):
        yield "" if number else "waits", Text(told(approval, run), "yellow")
        yield "", Text(way, "dim")


def made_of(whole: Whole) -> Iterator[Fact]:
    """The versions that the run was opened with, the ones it moved to."""
    had = whole.ledger.opened_with
    if had:
        yield "plugins", "opened with " + ", ".join(f"{name} {version}" for name, version in had.items())
    for number, move in enumerate(whole.ledger.moves):
        now = [_moved(name, had.get(name), move.plugins.get(name)) for name in sorted({*had, *move.plugins})]
        yield "" if had or number else "plugins", f"step {move.step}: " + ", ".join(filter(None, now))
        had = move.plugins


def decided(whole: Whole) -> Iterator[Fact]:
    """What was decided, by whom, why; or by nobody, in time."""
    for number, made in enumerate(whole.ledger.decisions):
        yield "" if number else "decided", _made(made)


def helped(whole: Whole) -> Iterator[Fact]:
    """Which agents work for the run; of a team, in which order they did."""
    team = whole.ledger.spec.team
    if team is not None:
        path = " → ".join(helper.agent for helper in whole.helpers)
        yield "team", team.kind + (f": {path}" if path else "")
    for number, helper in enumerate(whole.helpers):
        yield "" if number else "agents", _helper(helper, member=team is not None)


def _moved(name: str, before: str | None, now: str | None) -> str | None:
    if now == before:
        return None
    if now is None:
        return f"without {name}"
    return f"{name} {now}" + (f", {before} before" if before else "")


def _made(made: DecisionRecord) -> str:
    by = f" by {made.decided_by}" if made.decided_by else ""
    edited = " with edited arguments" if made.edited else ""
    when = ago(datetime.now(UTC).timestamp() - made.at_s)
    why = f": {made.reason}" if made.reason else ""
    return shortened(f"{made.tool}, call {made.position}, {made.verdict}{by}{edited} {when}{why}", _WIDEST)


def _helper(helper: Helper, *, member: bool) -> Text:
    where = f"member {helper.position}" if member else f"on call {helper.position}"
    why = f": {shortened(helper.error, _WIDEST)}" if helper.error else ""
    status = Text(f"{helper.status}{why}", _STYLES.get(helper.status, "yellow"))
    return Text.assemble(f"{helper.agent} {where}, ", status, (f", run {helper.run}", "dim"))
