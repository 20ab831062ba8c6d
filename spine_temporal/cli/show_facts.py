"""What is known of one run, as names with values to print."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from rich.text import Text

from spine_temporal.cli.approval_text import approval_line, decision_lines
from spine_temporal.cli.runs import status_text
from spine_temporal.cli.server import Server
from spine_temporal.client.description import DecisionMade, RunDescription, RunUsage, Subagent
from spine_temporal.client.pending_work import PendingWork
from spine_temporal.format import ago, duration, first_line, harmless, many, shortened, size, spent

_WIDEST: Final = 200
_STYLES: Final = {"running": "cyan", "paused": "yellow", "final": "green"}

type Fact = tuple[str, str | Text]


def facts_of(server: Server, run: RunDescription, given: str) -> list[Fact]:
    """All facts, in the order in which a reader wants them; `given` is how the user calls the run."""
    facts: list[Fact] = [
        ("run", Text(run.id, style="bold")),
        ("agent", run.agent),
        ("status", Text.assemble(status_text(run), (", stuck" if run.failing_task else "", "bold red"))),
        *_turns(run),
        *_lineage(run),
        ("started", f"{run.started.astimezone():%Y-%m-%d %H:%M:%S}, {_took(run)}"),
        ("usage", used(run)),
        ("history", f"{many(run.events, 'event')} · {size(run.bytes)}"),
        *_versions(run),
        *_subagents(run),
        *_numbered("decided", [_decision(made) for made in run.decisions]),
    ]
    if run.error:
        facts.append(("error", Text(harmless(run.error), style="red")))
    facts += _trouble(run)
    facts += _numbered("now", [Text(harmless(pending_work_line(work)), style="cyan") for work in run.in_flight])
    facts += _pending(server, run, given)
    return [*facts, ("web UI", run.ui)] if run.ui else facts


def pending_work_line(work: PendingWork) -> str:
    """Something that the run waits for, in one line."""
    if work.attempt is None or work.since is None:
        return work.what
    now = datetime.now(UTC)
    where = f" on {work.worker}" if work.worker and work.state == "running" else ""
    if work.next_attempt is not None and work.next_attempt > now:
        state = f"attempt {work.attempt} in {duration((work.next_attempt - now).total_seconds())}"
    else:
        state = f"{work.state}{where} for {duration((now - work.since).total_seconds())}, attempt {work.attempt}"
    failed = f"; the last one failed: {first_line(work.last_failure)}" if work.last_failure else ""
    return f"{work.what}, {state}{failed}"


def used(run: RunDescription) -> str:
    """What the conversation has used up, with the agents that work for it."""
    return f"{many(run.state.step, 'step')} · {_spent(run.usage)}"


def _spent(usage: RunUsage) -> str:
    tokens = usage.total_tokens
    if usage.cost_usd is not None:
        return spent(tokens, usage.cost_usd)
    if usage.known_cost_usd is None:
        return f"{many(tokens, 'token')} · cost unknown"
    return f"{spent(tokens, usage.known_cost_usd)}, and {many(usage.unpriced_tokens, 'token')} of unknown price"


def _trouble(run: RunDescription) -> Iterator[Fact]:
    task = run.failing_task
    if task is not None:
        since = f"{task.since.astimezone():%Y-%m-%d %H:%M:%S}, {_ago(task.since)}"
        text = f"its worker cannot work on it since {since}; attempt {task.attempt} of the workflow task"
        yield "stuck", Text(text, style="bold red")
        yield "", Text(shortened(f"{task.cause.lower().replace('_', ' ')}: {task.message}", _WIDEST), style="red")


def _turns(run: RunDescription) -> Iterator[Fact]:
    if run.turn > 1 or run.queued or run.status == "idle" or (run.open and run.status == "failed"):
        yield "turn", f"{run.turn}" + (f", {len(run.queued)} more in the queue" if run.queued else "")
    for queued in run.queued:
        yield "", Text(f"turn {queued.turn}: {shortened(queued.input, _WIDEST)}", "dim")


def _lineage(run: RunDescription) -> Iterator[Fact]:
    if run.forked_from is not None:
        yield "origin", f"forked from {run.forked_from.run} after step {run.forked_from.step}"
    if run.works_for is not None:
        yield "works for", f"{run.works_for.run}, call {run.works_for.call}"
    if run.continues is not None:
        yield "continues", f"execution {run.continues}"


def _pending(server: Server, run: RunDescription, given: str) -> Iterator[Fact]:
    """What waits for a person, with the lines to type to decide on it."""
    pending = list(run.pending)
    for number, (approval, line) in enumerate(zip(pending, decision_lines(server, pending, given), strict=True)):
        yield "" if number else "waits", Text(approval_line(approval, given), "yellow")
        yield "", Text(line, "dim")


def _versions(run: RunDescription) -> Iterator[Fact]:
    """The versions that the run was opened with, the ones it moved to."""
    before = run.opened_with
    if before:
        yield "plugins", "opened with " + ", ".join(f"{name} {version}" for name, version in before.items())
    for number, move in enumerate(run.moves):
        moved = [_moved(name, before.get(name), move.plugins.get(name)) for name in sorted({*before, *move.plugins})]
        yield "" if before or number else "plugins", f"step {move.step}: " + ", ".join(filter(None, moved))
        before = move.plugins


def _moved(name: str, before: str | None, now: str | None) -> str | None:
    if now == before:
        return None
    if now is None:
        return f"without {name}"
    return f"{name} {now}" + (f", {before} before" if before else "")


def _subagents(run: RunDescription) -> Iterator[Fact]:
    """Which agents work for the run; of a team, in which order they did."""
    if run.team is not None:
        path = " → ".join(child.agent for child in run.children)
        yield "team", run.team + (f": {path}" if path else "")
    yield from _numbered("agents", [_subagent(child, member=run.team is not None) for child in run.children])


def _subagent(child: Subagent, *, member: bool) -> Text:
    where = f"member {child.position.partition('.')[0]}" if member else f"on call {child.position}"
    why = f": {shortened(child.error, _WIDEST)}" if child.error else ""
    status = Text(f"{child.status}{why}", _STYLES.get(child.status, "yellow"))
    return Text.assemble(f"{child.agent} {where}, ", status, (f", run {child.run}", "dim"))


def _decision(made: DecisionMade) -> str:
    by = f" by {made.decided_by}" if made.decided_by else ""
    edited = " with edited arguments" if made.edited else ""
    why = f": {made.reason}" if made.reason else ""
    return shortened(f"{made.tool}, call {made.position}, {made.decision}{by}{edited} {_ago(made.at)}{why}", _WIDEST)


def _took(run: RunDescription) -> str:
    took = f"took {duration(run.duration_s)}" if run.duration_s is not None else ""
    return ", ".join(filter(None, [_ago(run.started) if run.open else "", took]))


def _ago(when: datetime) -> str:
    return ago((datetime.now(UTC) - when).total_seconds())


def _numbered(name: str, values: Sequence[str | Text]) -> Iterator[Fact]:
    for number, value in enumerate(values):
        yield "" if number else name, value
