"""What a run came to, or that it has begun, for whoever started it."""

import json as json_
from dataclasses import dataclass, field

from spine_core import Result
from temporalio.client import Client

from spine_temporal.cli.approval_text import approval_line, decision_lines
from spine_temporal.cli.errors import print_error
from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.server import Server
from spine_temporal.cli.terminal import message, note, stderr, write
from spine_temporal.client.approvals import Approval
from spine_temporal.client.run import Run
from spine_temporal.client.run_summary import StartedRun
from spine_temporal.connection.web_ui import page_of
from spine_temporal.format import duration, harmless, many, spent


@dataclass(frozen=True, slots=True)
class Stopped:
    """A run's Result; when it is paused, also what it waits for."""

    result: Result
    pending: list[Approval] = field(default_factory=list)


async def stopped(run: Run, result: Result) -> Stopped:
    """The Result, with what the run waits for."""
    return Stopped(result, await run.pending() if result.interrupted else [])


def print_result(server: Server, stop: Stopped, *, json: bool, live: bool, shown: str = "") -> Exit:
    """Print the answer, unless it was `shown`; on stderr how it came, if somebody watches or it is no final one."""
    result = stop.result
    if json:
        write(result.model_dump_json())
    elif result.answer is not None and result.answer != shown:
        if live:
            stderr().print()
        write(result.answer)
    if live:
        stderr().print(f"\n{_cost(result)}", style="dim")
    if result.ok:
        return Exit.DONE
    session = result.state.session_id
    if result.interrupted:
        _print_pause(server, stop.pending, str(result.resume_token or session))
        return Exit.PAUSED
    why = result.stopped_reason.value + (f": {result.error}" if result.error else "")
    way = server.run_command("show", session)
    print_error(f"run {session} ended without a final answer, {why}; `{way}` shows how")
    return Exit.NO_ANSWER


async def print_started(server: Server, client: Client, run: Run, *, json: bool) -> None:
    """Print the id of a run that was started."""
    page = await page_of(client, run.workflow_id)
    if json:
        started = StartedRun(session_id=run.id, workflow_id=run.workflow_id, run_id=run.run_id, ui=page)
        write(json_.dumps(started.to_json()))
        return
    write(run.id)
    note(f"`{server.run_command('show', run.id)}` says where it is" + (f"\n{page}" if page else ""))


def print_that_it_goes_on(server: Server, run: str) -> None:
    """Say to who no longer waits where the run can be found."""
    show, stop = server.run_command("show", run), server.run_command("stop", run)
    text = f"\nThe run goes on. See it with `{show}`,\nend it with `{stop}`."
    stderr().print(text, markup=False, soft_wrap=True)


def _print_pause(server: Server, pending: list[Approval], run: str) -> None:
    if not pending:
        message("paused", f"run {run} waited for a decision; by now somebody has decided", "yellow")
        return
    message("paused", f"run {run} waits for a decision", "yellow")
    for approval, line in zip(pending, decision_lines(server, pending, run), strict=True):
        stderr().print(harmless(f"  {approval_line(approval, run)}\n    {line}"), markup=False, soft_wrap=True)


def _cost(result: Result) -> str:
    took_s = result.trace[-1].ts - result.trace[0].ts if result.trace else 0.0
    return " · ".join(
        [many(result.state.step, "step"), spent(result.usage.total_tokens, result.usage.cost_usd), duration(took_s)]
    )
