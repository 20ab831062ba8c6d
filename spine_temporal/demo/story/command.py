"""The command `spine-temporal demo`: a run that outlives its worker."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Final

import typer

from spine_temporal.demo.agent import default_folder
from spine_temporal.demo.story.run import run_story
from spine_temporal.demo.story.screen import Screen
from spine_temporal.demo.story.settings import settings_of
from spine_temporal.worker.signals import until_signalled

_QUESTION: Final = "which modules open sockets?"
# The server has that long to close its database.
_DEADLINE_S: Final = 10.0
_BY_SIGNAL: Final = 128


def demo(
    folder: Annotated[
        Path | None, typer.Argument(help="What the agent reads; else the standard library of this Python.")
    ] = None,
    *,
    question: Annotated[str, typer.Option(help="What it is asked.")] = _QUESTION,
    model: Annotated[
        str | None, typer.Option(help="Such as offline:planner; else the one whose key is in the environment.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the server with its web UI until Ctrl-C.")] = False,
) -> int:
    """See an agent survive the kill of its worker, in a minute.

    A real Temporal server, two worker processes, an agent that reads source code to answer a question. The first
    worker is killed in the middle of a step, the second carries on. At the end it is proved that no finished work
    was done again; the exit code is 0 only then. Files go to .spine/ in the current folder.
    """
    settings, screen = settings_of(folder or default_folder(), question, model), Screen()
    screen.title()
    for name, value in (
        ("question", settings.question),
        ("folder", str(settings.folder)),
        ("model", settings.model_text),
    ):
        screen.fact(name, value)
    return asyncio.run(_until_signalled(run_story(screen, settings, keep=keep), screen))


async def _until_signalled(story: Coroutine[None, None, bool], screen: Screen) -> int:
    with until_signalled(_DEADLINE_S) as signalled:
        task, waiting = asyncio.create_task(story), asyncio.create_task(signalled.wait())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not signalled.is_set():
            return 0 if task.result() else 1
        task.cancel()
        await asyncio.wait({task})
    screen.aside("Ended before its end. Workers and server have ended, too.")
    return _BY_SIGNAL + signalled.number
