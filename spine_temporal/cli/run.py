"""An agent's answer: what `spine-temporal run` does."""

import asyncio

from spine_core import Result

from spine_temporal.cli.exits import Exit
from spine_temporal.cli.failing import say_error
from spine_temporal.cli.live import follow
from spine_temporal.cli.screen import note, say, show_log, stderr, write
from spine_temporal.cli.server import Server
from spine_temporal.cli.ui import page_of
from spine_temporal.cli.wording import duration, many, spent
from spine_temporal.client.agent import DurableAgent
from spine_temporal.client.presence import telling_when_nobody_polls
from spine_temporal.client.run import Run


def run(
    server: Server, agent: str, input: str, *, session: str | None, task_queue: str, json: bool, live: bool
) -> Exit:
    """Start a run, print its answer; with `live`, tell on stderr what it does meanwhile."""
    show_log()
    started: list[Run] = []
    try:
        result = asyncio.run(_result(server, agent, input, session, task_queue, started, live=live))
    except KeyboardInterrupt:
        for each in started:
            ways = f"See it with `spine-temporal show {each.id}`,\nend it with `spine-temporal stop {each.id}`."
            stderr().print(f"\nThe run goes on. {ways}", markup=False, soft_wrap=True)
        return Exit.CTRL_C
    if json:
        write(result.model_dump_json())
    elif result.answer is not None:
        if live:
            stderr().print()
        write(result.answer)
    return ending(result, live=live)


async def _result(
    server: Server, agent: str, input: str, session: str | None, task_queue: str, started: list[Run], *, live: bool
) -> Result:
    client = await server.client()
    run = await DurableAgent(agent, client, task_queue=task_queue).start(input, session_id=session)
    started.append(run)
    async with telling_when_nobody_polls(client, task_queue):
        if live:
            page = await page_of(client, run.workflow_id)
            note(f"{agent} · run {run.id}" + (f"\n{page}" if page else "") + "\n")
            await follow(run.events(), stderr())
        return await run.result()


def ending(result: Result, *, live: bool) -> Exit:
    """Say on stderr how the run ended, if somebody watches or it is not as it should be; the exit code for it."""
    session = result.state.session_id
    took_s = result.trace[-1].ts - result.trace[0].ts if result.trace else 0.0
    facts = " · ".join(
        [many(result.state.step, "step"), spent(result.usage.total_tokens, result.usage.cost_usd), duration(took_s)]
    )
    if live:
        stderr().print(f"\n{facts}", style="dim")
    if result.ok:
        return Exit.DONE
    if result.interrupted:
        say("paused", f"run {session} waits for a decision; its resume token is {result.resume_token}", "yellow")
        return Exit.PAUSED
    why = result.stopped_reason.value + (f": {result.error}" if result.error else "")
    say_error(f"run {session} ended without a final answer, {why}; `spine-temporal show {session}` tells how")
    return Exit.NO_ANSWER
