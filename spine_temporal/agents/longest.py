"""How long an activity may take on workers that live for a short time only."""

from spine_temporal.contracts.policies import ActivityPolicy


def within(policy: ActivityPolicy, longest_s: float | None) -> ActivityPolicy:
    """The policy of an agent whose workers live for `longest_s`; None: for ever.

    What goes to another task queue keeps its time.
    """
    if longest_s is None or policy.task_queue is not None or policy.timeout_s <= longest_s:
        return policy
    return policy.model_copy(update={"timeout_s": longest_s})


def too_long(tool: str, policy: ActivityPolicy, longest_s: float) -> str:
    """Why a call is refused that may take longer than a worker lives; empty: it is not."""
    if policy.task_queue is not None or policy.timeout_s <= longest_s:
        return ""
    return (
        f"Error: tool {tool!r} was not called: it may take {policy.timeout_s:g} s, and a worker lives for "
        f"{longest_s:g} s here. It needs a task queue whose workers stay, given by its author: "
        f"@durable(task_queue=...), with a tool worker polling there"
    )
