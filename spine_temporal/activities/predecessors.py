"""Work of an earlier attempt that goes on in this process, or ended too late."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

from temporalio import activity

from spine_temporal.activities.current import Attempt

# A further attempt begins within the longest pause between attempts, if it begins here at all.
_KEPT_S: Final = 120.0

type _Key = tuple[int, str, str, str]


@dataclass(slots=True, eq=False)
class Work:
    """What an attempt does, in a task of its own."""

    task: "asyncio.Task[Any]"
    attempt: Attempt
    """The one that began it: the code in the task knows itself in that one."""
    owner: object
    """Whoever waits for it now, and may cancel it: the latest attempt."""
    late: bool = False
    """The server has given an attempt at it up, or may have: the report of its outcome may come to nothing."""
    key: _Key = field(default_factory=lambda: _key(), init=False)
    """Of the activity that began it, in its event loop."""


_works: Final[dict[_Key, Work]] = {}


def present_work() -> Work | None:
    """The work of this very activity that an earlier attempt began in this event loop; None: there is none.

    The server begins another attempt when beats are missed, or the time limit is over, and knows not that the code of
    the earlier one goes on, in a thread perhaps, which nothing can interrupt. To do the work again beside it would be
    twice the effect; who waits for it has its outcome.
    """
    work = _works.get(_key())
    return work if work is not None and not work.task.cancelled() else None


def remember(work: Work) -> None:
    """Have a later attempt find the work."""
    _works[work.key] = work


def forget(work: Work) -> None:
    """It is over. Of one that was late the outcome is kept for a while."""
    if not work.late:
        _drop(work)
        return
    asyncio.get_running_loop().call_later(_KEPT_S, _drop, work)


def _drop(work: Work) -> None:
    if _works.get(work.key) is work:
        del _works[work.key]


def _key() -> _Key:
    info = activity.info()
    return id(asyncio.get_running_loop()), info.namespace, str(info.workflow_run_id), info.activity_id
