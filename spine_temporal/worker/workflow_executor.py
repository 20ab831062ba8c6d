"""Carries out workflow tasks: those of agents in the event loop, all others in threads."""

import asyncio
import contextvars
import sys
from asyncio.events import _set_running_loop
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from temporalio.worker import WorkflowInstance


class WorkflowExecutor(ThreadPoolExecutor):
    """Carries out each task of a workflow that `runs_in_loop` in the event loop that asks for it, at once.

    The SDK has a thread carry out each, so that it can see when a workflow's code blocks. That of agents does not, and
    is done with most tasks in less than it takes to wake a thread and to be woken by it (measured: 6 % of a worker's
    CPU). All other workflows have their threads.
    """

    def submit[**Args, Made](  # type: ignore[override]
        self, work: Callable[Args, Made], /, *args: Args.args, **kwargs: Args.kwargs
    ) -> Future[Made] | asyncio.Future[Made]:
        """A future of what `work` gives; done by now, and of the present event loop, if the loop has carried it out.

        The loop takes a future of its own as it is: there is nothing to wake it for.
        """
        if not _runs_in_loop(work):
            return super().submit(work, *args, **kwargs)
        future: asyncio.Future[Made] = asyncio.get_running_loop().create_future()
        try:
            future.set_result(_aside(work, *args, **kwargs))
        except (KeyboardInterrupt, SystemExit):
            # As from any other code in an event loop.
            raise
        except BaseException as error:  # noqa: BLE001 - it is raised where the future is awaited
            future.set_exception(error)
        return future


def _runs_in_loop(work: Callable[..., object]) -> bool:
    instance = getattr(getattr(work, "__self__", None), "instance", None)
    return isinstance(instance, WorkflowInstance) and getattr(instance, "runs_in_loop", False)


def _aside[**Args, Made](work: Callable[Args, Made], *args: Args.args, **kwargs: Args.kwargs) -> Made:
    """Do `work`, which has an event loop of its own, where it sees nothing of the present one, as in a thread."""
    loop, task, hooks = asyncio.get_running_loop(), asyncio.current_task(), sys.get_asyncgen_hooks()
    if task is not None:
        _leave_task(loop, task)
    sys.set_asyncgen_hooks(None, None)
    _set_running_loop(None)
    try:
        return contextvars.Context().run(work, *args, **kwargs)
    finally:
        _set_running_loop(loop)
        sys.set_asyncgen_hooks(*hooks)
        if task is not None:
            _enter_task(loop, task)
