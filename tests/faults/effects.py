"""What became of the effects that agents have: how many there are, and whether one was done twice."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from tests.faults.agents import Effects

LOCAL: Final = "local"
"""What stands for the attempt of a local activity: the server counts none."""


def doubled_effects(lines: Iterable[str]) -> str:
    """Which effect was done twice for no reason, of those that the agents of the matrix noted; empty: none.

    A call has one key, and one activity under it. Another attempt of that activity does it again, if the one before it
    did not report; no attempt does it twice. How many attempts there are is the server's doing: on a busy machine it
    may take a living worker for dead. A local activity is done again with the workflow task that it belongs to.
    """
    done = defaultdict[str, list[tuple[str, str]]](list)
    calls = dict[str, str]()
    for line in lines:
        _, call, key, attempt, activity = line.split(maxsplit=4)
        calls[key] = call
        done[key].append((activity, attempt))
    for key, times in done.items():
        times = [(activity, attempt) for activity, attempt in times if attempt != LOCAL]
        if not times:
            continue
        if len({activity for activity, _ in times}) > 1 or max(Counter(times).values()) > 1:
            return f"call {calls[key]} was done by {times}"
    return ""


def has_called(effects: Effects, more: int, running: "Sequence[asyncio.Task[Any]]") -> Callable[[], bool]:
    """Whether so many more effects are there than now, or nobody is left who could have them."""
    wanted = len(effects.lines()) + more
    return lambda: len(effects.lines()) >= wanted or all(task.done() for task in running)
