"""Where the story plays: server, workers, files; set up at its beginning, gone at its end."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError

from spine_temporal.client.agent import DurableAgent
from spine_temporal.client.run import Run
from spine_temporal.demo.story.calls import CallLog
from spine_temporal.demo.story.report import show_proof
from spine_temporal.demo.story.screen import Screen
from spine_temporal.demo.story.script import Script
from spine_temporal.demo.story.settings import Settings
from spine_temporal.demo.story.worker import WorkerArgs
from spine_temporal.demo.story.workers import Workers
from spine_temporal.devserver.server import DevServer
from spine_temporal.errors import BadInput, RunFailed

_FILES: Final = Path(".spine")
_ANSWER: Final = "demo-answer.md"
_LONGEST_S: Final = 600.0
_FAREWELL: Final = timedelta(seconds=2)


async def run_story(screen: Screen, settings: Settings, *, keep: bool) -> bool:
    """Run the story from beginning to end; whether the agent answered and the proof holds.

    With `keep`, the server with its web UI runs on at the end until this is cancelled.

    Raises:
        BadInput: no files can be written to the current folder.
        MissingExtra: the server is not installed.
        ServerUnreachable: the server does not come up.
        RunFailed: a worker ended by itself, or it took ten minutes.
    """
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(DevServer(_folder() / "demo.db", ui=True))
        screen.fact("server", f"Temporal at {server.address}, its file is {_FILES / 'demo.db'}")
        client = await Client.connect(server.address)
        log = CallLog(_folder() / "demo-calls.jsonl")
        log.clear()
        session = f"demo-{secrets.token_hex(2)}"
        args = WorkerArgs(server.address, session, str(settings.folder), settings.model, str(log.file))
        workers = await stack.enter_async_context(Workers(args, settings.environment, _folder() / "demo-workers.log"))
        first = await workers.start("worker-1")
        reader = DurableAgent("reader", client, task_queue=session, session_ttl_s=0)
        run = await reader.start(settings.question, session_id=session)
        page = f"{server.ui_address}/namespaces/default/workflows/{run.workflow_id}"
        screen.link("watch it", page)
        screen.begin()
        screen.event(first.identity, f"started, pid {first.process.pid}")
        script = Script(screen, client, run, workers, log)
        async with _bounded(client, run):
            await script.run(first, settings.kill)
        proven = await _end(screen, client, run, log)
        if keep:
            screen.aside("The server is kept until Ctrl-C.")
            screen.link("watch it", page)
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
    screen.aside("Worker and server have ended.")
    return proven


async def _end(screen: Screen, client: Client, run: Run, log: CallLog) -> bool:
    result = await run.result()
    if not result.ok:
        screen.loud(f"the agent gave no answer: {result.error or result.stopped_reason}")
    if result.answer:
        (_folder() / _ANSWER).write_text(f"{result.answer}\n", encoding="utf-8")
        screen.answer(result.answer, str(_FILES / _ANSWER))
    return await show_proof(screen, client, run, log) and result.ok


@contextlib.asynccontextmanager
async def _bounded(client: Client, run: Run) -> AsyncIterator[None]:
    """Have the run terminated if it does not end in the body: no later story's server shall hold it as running."""
    try:
        async with asyncio.timeout(_LONGEST_S):
            yield
    except BaseException as error:
        with contextlib.suppress(RPCError):
            await client.get_workflow_handle(run.workflow_id).terminate("the demo was ended", rpc_timeout=_FAREWELL)
        if isinstance(error, TimeoutError):
            raise RunFailed(
                f"the story did not end within {_LONGEST_S:.0f} s; .spine/demo-workers.log may say why"
            ) from error
        raise


def _folder() -> Path:
    try:
        _FILES.mkdir(exist_ok=True)
    except OSError as error:
        raise BadInput(
            f"no folder {str(_FILES)!r} can be made in {Path.cwd()}: {error.strerror}; go where it can"
        ) from error
    return _FILES.absolute()
