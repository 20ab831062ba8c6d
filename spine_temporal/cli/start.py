"""An agent set to work: what `spine-temporal run`, `start` do."""

import asyncio
from dataclasses import dataclass
from typing import cast

from temporalio.client import Client

from spine_temporal.cli.errors import ids_as_typed
from spine_temporal.cli.exit_codes import Exit
from spine_temporal.cli.log import show_log
from spine_temporal.cli.print_result import (
    Stopped,
    print_started,
    print_that_it_goes_on,
    stopped,
)
from spine_temporal.cli.server import Server
from spine_temporal.cli.terminal import message, note
from spine_temporal.cli.view import View
from spine_temporal.client.agent import DurableAgent
from spine_temporal.client.run import Run
from spine_temporal.client.runs import find_run
from spine_temporal.connection.web_ui import page_of
from spine_temporal.contracts import names
from spine_temporal.contracts.approval import OnTimeout
from spine_temporal.contracts.turn import OnBusy
from spine_temporal.errors import BadInput


@dataclass(frozen=True, slots=True)
class StartOptions:
    """What was typed to have an agent work."""

    agent: str
    input: str
    session: str | None = None
    task_queue: str = names.DEFAULT_TASK_QUEUE
    on_busy: str = "queue"
    approval_timeout_s: float | None = None
    on_timeout: str | None = None

    async def start(self, client: Client, *, tokens: bool = False) -> Run:
        """Start the run, or the session's next turn.

        Raises what `DurableAgent.start` raises.
        """
        if self.on_timeout is not None and self.approval_timeout_s is None:
            raise BadInput(
                f"--on-timeout {self.on_timeout} says what becomes of a call that nobody decides in time; "
                "--approval-timeout SECONDS says in what time"
            )
        if self.approval_timeout_s is not None and not self.approval_timeout_s > 0:
            raise BadInput(f"--approval-timeout is {self.approval_timeout_s:g}; it is a number of seconds above 0")
        durable = DurableAgent(
            self.agent,
            client,
            task_queue=self.task_queue,
            approval_timeout_s=self.approval_timeout_s,
            on_timeout=cast("OnTimeout", self.on_timeout or "reject"),
        )
        on_busy = cast("OnBusy", self.on_busy)
        return await durable.start(self.input, session_id=self.session, on_busy=on_busy, tokens=tokens)


def run(server: Server, options: StartOptions, view: View) -> Exit:
    """Start a run, print its answer."""
    show_log()
    started: list[Run] = []
    try:
        stop = asyncio.run(_result(server, options, view, started))
    except KeyboardInterrupt:
        for each in started:
            print_that_it_goes_on(server, each.id)
        return Exit.CTRL_C
    return view.print_result(server, stop)


def start(server: Server, options: StartOptions, *, json: bool) -> Exit:
    """Start a run, print its id."""
    show_log()
    asyncio.run(_start(server, options, json=json))
    return Exit.DONE


async def _result(server: Server, options: StartOptions, view: View, started: list[Run]) -> Stopped:
    client = await server.client()
    run = await options.start(client, tokens=view.reads_along)
    started.append(run)
    with ids_as_typed(run, run.id):
        if run.turn is not None:
            await _warn_if_paused(server, client, run)
        if view.live:
            page = await page_of(client, run.workflow_id)
            note(f"{options.agent} · run {run.id}" + (f"\n{page}" if page else "") + "\n")
        if view.reads_along:
            await view.show(run.events(tokens=True))
        return await stopped(run, await run.result())


async def _warn_if_paused(server: Server, client: Client, run: Run) -> None:
    """A turn of a session that waits for a decision waits with it."""
    if (await find_run(client, run.workflow_id)).status == "paused":
        way = server.run_command("show", run.id)
        message("waiting", f"turn {run.turn} waits: session {run.id} is paused, `{way}` says at what", "yellow")


async def _start(server: Server, options: StartOptions, *, json: bool) -> None:
    client = await server.client()
    run = await options.start(client)
    await print_started(server, client, run, json=json)
