"""What a person can type to decide on a run, or to take it elsewhere."""

import sys
from typing import Annotated

import typer

from spine_temporal.cli.options import By, Call, Follow, Json, OfAgent, Reason, RunId, Session


def approvals(
    context: typer.Context,
    *,
    agent: OfAgent = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    json: Json = False,
) -> int:
    """What waits for a person, in all runs."""
    from spine_temporal.cli.approvals import approvals as list_approvals

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
    from spine_temporal.cli.deciding import Edit
    from spine_temporal.cli.deciding import approve as approve_call

    return approve_call(context.obj, run, call, Edit(arguments, edit, digest), reason=reason, by=by)


def reject(context: typer.Context, run: RunId, call: Call = None, *, reason: Reason = None, by: By = None) -> int:
    """Do not let a tool call that waits run; the model is told."""
    from spine_temporal.cli.deciding import reject as reject_call

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
    from spine_temporal.cli.deciding import answer as answer_call

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
    from spine_temporal.cli.resuming import resume as resume_run

    return resume_run(context.obj, run, word, json=json, live=sys.stderr.isatty() if follow is None else follow)


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
    from spine_temporal.cli.forking import fork as fork_run

    return fork_run(context.obj, run, input, step=step, session=session, json=json)
