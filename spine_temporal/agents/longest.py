"""How long an activity may take on workers that live for a short time only."""

from typing import NamedTuple

from spine_temporal.contracts.base import is_time
from spine_temporal.contracts.policies import SHORTEST_LIMIT_S, ActivityPolicy
from spine_temporal.errors import BadInput
from spine_temporal.given import check_name, refused


class Lifetime(NamedTuple):
    """How long a worker lives, which no activity outlasts."""

    longest_s: float
    longer_task_queue: str | None = None
    """Where workers poll that stay, for the sentence which refuses a call; None: nobody knows one."""


def lifetime(longest_s: float | None, longer_task_queue: str | None) -> Lifetime | None:
    """The two settings of a worker as one; None: it lives for ever.

    Raises:
        BadInput: there is a queue for what takes longer, and nothing says longer than what; or one of them is no time
            that an attempt can have, or no name.
    """
    if longer_task_queue is not None:
        check_name("longer_activities_task_queue", longer_task_queue)
    if longest_s is not None:
        if not is_time(longest_s) or longest_s < SHORTEST_LIMIT_S:
            raise refused("longest_activity_s", longest_s, f"a number of seconds from {SHORTEST_LIMIT_S}, or None")
        return Lifetime(longest_s, longer_task_queue)
    if longer_task_queue is not None:
        raise BadInput(
            f"longer_activities_task_queue={longer_task_queue!r} is for what takes longer than longest_activity_s, and "
            "that is not given"
        )
    return None


def within(policy: ActivityPolicy, lifetime: Lifetime | None) -> ActivityPolicy:
    """The policy of an agent whose workers have that lifetime; None: they live for ever.

    What goes to another task queue keeps its time.
    """
    if lifetime is None or policy.task_queue is not None or policy.timeout_s <= lifetime.longest_s:
        return policy
    return policy.model_copy(update={"timeout_s": lifetime.longest_s})


def too_long(tool: str, policy: ActivityPolicy, lifetime: Lifetime) -> str:
    """Why a call is refused that may take longer than a worker lives; empty: it is not."""
    if policy.task_queue is not None or policy.timeout_s <= lifetime.longest_s:
        return ""
    refused = (
        f"Error: tool {tool!r} was not called: it may take {policy.timeout_s:g} s, and a worker lives for "
        f"{lifetime.longest_s:g} s here. "
    )
    if lifetime.longer_task_queue is not None:
        return f"{refused}Its author moves it to workers that stay: @durable(task_queue={lifetime.longer_task_queue!r})"
    return (
        f"{refused}It needs a task queue whose workers stay, given by its author: "
        f"@durable(task_queue=...), with a tool worker polling there"
    )
