"""Whether an effect was done more often than a fault explains."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

# One fault explains one more attempt.
_ATTEMPTS: Final = 2


def doubled_effects(lines: Iterable[str]) -> str:
    """Which effect was done twice for no reason, of those that the agents of the matrix noted; empty: none.

    A call has one key, and one activity under it. Another attempt of that activity does it again, if the one before it
    did not report; no attempt does it twice.
    """
    done = defaultdict[str, list[tuple[str, str]]](list)
    calls = dict[str, str]()
    for line in lines:
        _, call, key, attempt, activity = line.split(maxsplit=4)
        calls[key] = call
        done[key].append((activity, attempt))
    for key, times in done.items():
        if len({activity for activity, _ in times}) > 1 or max(Counter(times).values()) > 1 or len(times) > _ATTEMPTS:
            return f"call {calls[key]} was done by {times}"
    return ""
