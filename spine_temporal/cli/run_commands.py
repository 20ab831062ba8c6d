"""What can be typed about runs; what does it is imported when a command runs."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from spine_temporal.cli.filter_options import FilterOptions, InStatus, MaxCost, MinCost, OfTenant, OlderThan, Since
from spine_temporal.cli.options import (
    AgentName,
    ApprovalTimeout,
    Busy,
    By,
    Call,
    Follow,
    Input,
    Json,
    OfAgent,
    OnBusy,
    OnTimeout,
    Reason,
    RunId,
    Session,
    Stream,
    TaskQueue,
)
from spine_temporal.cli.stats_command import stats
from spine_temporal.cli.typed_text import input_text
from spine_temporal.contracts import names


def run(
    context: typer.Context,
    agent: AgentName,
    input: Input,
    *,
    session: Session = None,
    task_queue: TaskQueue = names.DEFAULT_TASK_QUEUE,
    on_busy: OnBusy = Busy.QUEUE,
    approval_timeout: ApprovalTimeout = None,
    on_timeout: OnTimeout = None,
    stream: Stream = False,
    json: Json = False,
    follow: Follow = None,
) -> int:
    """Run an agent and print its answer; with --json, spine's Result."""
    from spine_temporal.cli.start import StartOptions
    from spine_temporal.cli.start import run as run_agent
    from spine_temporal.cli.view import View

    options = StartOptions(agent, input_text(input), session, task_queue, on_busy, approval_timeout, on_timeout)
    return run_agent(context.obj, options, View(json, _is_live(follow), stream))


def start(
    context: typer.Context,
    agent: AgentName,
    input: Input,
    *,
    session: Session = None,
    task_queue: TaskQueue = names.DEFAULT_TASK_QUEUE,
    on_busy: OnBusy = Busy.QUEUE,
    approval_timeout: ApprovalTimeout = None,
    on_timeout: OnTimeout = None,
    json: Json = False,
) -> int:
    """Start a run, print its id and do not wait."""
    from spine_temporal.cli.start import StartOptions
    from spine_temporal.cli.start import start as start_run

    options = StartOptions(agent, input_text(input), session, task_queue, on_busy, approval_timeout, on_timeout)
    return start_run(context.obj, options, json=json)


def watch(
    context: typer.Context,
    run: RunId,
    *,
    after: Annotated[
        str | None, typer.Option(metavar="EVENT", help="Go on behind this event; --json shows their ids.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print every event, then spine's Result, a line each.")] = False,
    follow: Follow = None,
) -> int:
    """Follow a run that goes on, with what the model writes as it writes it.

    It ends as `run` does, when the run has stopped.
    """
    from spine_temporal.cli.view import View
    from spine_temporal.cli.watch import watch as watch_run

    return watch_run(context.obj, run, View(json, _is_live(follow), stream=True), after=after)


def list_(
    context: typer.Context,
    *,
    agent: OfAgent = None,
    tenant: OfTenant = None,
    status: InStatus = None,
    min_cost: MinCost = None,
    max_cost: MaxCost = None,
    since: Since = None,
    older_than: OlderThan = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    json: Json = False,
) -> int:
    """The runs, newest first.

    A server on SQL, as `spine-temporal dev` starts it, gives those that go on before those that are over.
    """
    from spine_temporal.cli.runs import list_runs

    options = FilterOptions(agent, tenant, status, min_cost, max_cost, since, older_than)
    return list_runs(context.obj, options, limit=limit, json=json)


def show(context: typer.Context, run: RunId, *, json: Json = False) -> int:
    """One run in full: where it is, what it waits for, what it did.

    Who decided what, which agents work for it, where it was forked from; then its transcript and its trace.
    """
    from spine_temporal.cli.show import show as show_run

    return show_run(context.obj, run, json=json)


def stop(context: typer.Context, run: RunId) -> int:
    """Ask a run to end at its next step boundary.

    A session that waits for its next turn is closed.
    """
    from spine_temporal.cli.runs import stop as stop_run

    return stop_run(context.obj, run)


def cancel(context: typer.Context, run: RunId) -> int:
    """End a run now: what is in flight is cancelled.

    The hooks of on_run_end still run.
    """
    from spine_temporal.cli.runs import cancel as cancel_run

    return cancel_run(context.obj, run)


def approvals(
    context: typer.Context,
    *,
    agent: OfAgent = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    json: Json = False,
) -> int:
    """What waits for a person, in all runs."""
    from spine_temporal.cli.inbox import approvals as list_approvals

    return list_approvals(context.obj, agent=agent, limit=limit, json=json)


def approve(
    context: typer.Context,
    run: RunId,
    call: Call = None,
    *,
    edit: Annotated[bool, typer.Option("--edit", help="Open the arguments in $VISUAL or $EDITOR first.")] = False,
    arguments: Annotated[
        str | None, typer.Option(metavar="JSON", help="Run it with these arguments, in place of all the model's.")
    ] = None,
    reason: Reason = None,
    by: By = None,
    digest: Annotated[
        str | None, typer.Option(metavar="D", help="Only if the arguments are those that `approvals --json` showed.")
    ] = None,
) -> int:
    """Let a tool call that waits run.

    It runs as it is, or with other arguments.
    """
    from spine_temporal.cli.decide import Edit
    from spine_temporal.cli.decide import approve as approve_call

    return approve_call(context.obj, run, call, Edit(arguments, edit, digest), reason=reason, by=by)


def reject(context: typer.Context, run: RunId, call: Call = None, *, reason: Reason = None, by: By = None) -> int:
    """Do not let a tool call that waits run; the model gets to know it."""
    from spine_temporal.cli.decide import reject as reject_call

    return reject_call(context.obj, run, call, reason=reason, by=by)


def answer(
    context: typer.Context,
    run: RunId,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="What the tool gets.")],
    call: Call = None,
    *,
    json_value: Annotated[bool, typer.Option("--json-value", help="VALUE is JSON, not text.")] = False,
    by: By = None,
) -> int:
    """Answer a tool that asks something while it runs."""
    from spine_temporal.cli.decide import answer as answer_call

    return answer_call(context.obj, run, value, call, is_json=json_value, by=by)


def resume(
    context: typer.Context,
    run: RunId,
    word: Annotated[str, typer.Argument(metavar="WORD", help="approve, or another word for yes; else it is a no.")] = (
        "approve"
    ),
    *,
    json: Json = False,
    follow: Follow = None,
) -> int:
    """Decide on what a run waits for, print its answer.

    It decides on the first of several calls, and waits as `run` does.
    """
    from spine_temporal.cli.resume import resume as resume_run

    return resume_run(context.obj, run, word, json=json, live=_is_live(follow))


def fork(
    context: typer.Context,
    run: RunId,
    input: Annotated[
        str | None, typer.Argument(metavar="INPUT", help="What the user says there; else the agent just goes on.")
    ] = None,
    *,
    step: Annotated[int, typer.Option(metavar="K", min=0, help="The last step that is kept; 0 keeps none.")],
    session: Session = None,
    json: Json = False,
) -> int:
    """Start a new run from the middle of another one, print its id."""
    from spine_temporal.cli.runs import fork as fork_run

    return fork_run(context.obj, run, input, step=step, session=session, json=json)


def _is_live(follow: bool | None) -> bool:  # noqa: FBT001 - as it was typed
    return sys.stderr.isatty() if follow is None else follow


def replay(
    context: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="Histories, as `temporal workflow show --output json` writes them."),
    ] = None,
    *,
    query: Annotated[
        str | None, typer.Option(metavar="QUERY", help="Those of the server that Temporal's list finds with it.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    json: Json = False,
) -> int:
    """Whether this version can go on with recorded runs: the gate before an upgrade.

    No agent, model or tool is needed, and nothing is changed.
    """
    from spine_temporal.cli.replay import replay as replay_runs

    return replay_runs(context.obj, files or [], query=query, limit=limit, json=json)


COMMANDS: Final[Mapping[str, Callable[..., Any]]] = {
    "run": run,
    "start": start,
    "watch": watch,
    "list": list_,
    "stats": stats,
    "show": show,
    "stop": stop,
    "cancel": cancel,
    "approvals": approvals,
    "approve": approve,
    "reject": reject,
    "answer": answer,
    "resume": resume,
    "fork": fork,
    "replay": replay,
}
"""In the order in which `--help` shows them."""
