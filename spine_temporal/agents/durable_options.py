"""Options of a tool that only a durable run knows."""

import weakref
from collections.abc import Callable, Sequence
from typing import Any, Final

from pydantic import ValidationError
from spine_core import Tool

from spine_temporal.contracts.approval import ApprovalPolicy, OnTimeout
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.errors import BadInput
from spine_temporal.given import check_word

_APPROVAL: Final = "__spine_temporal_approval__"
_POLICY: Final = "__spine_temporal_policy__"
_LOCAL: Final = "__spine_temporal_local__"
_TOOL: Final = "__spine_temporal_tool__"

LONGEST_LOCAL_S: Final = 5.0
"""A local activity holds up everything else of its run, and renews the workflow task that it belongs to."""


def durable[T: Tool | Callable[..., Any]](
    *,
    approval_timeout_s: float | None = None,
    on_timeout: OnTimeout = "reject",
    timeout_s: float | None = None,
    heartbeat_s: float | None = None,
    attempts: int | None = None,
    retry_first_s: float | None = None,
    retry_longest_s: float | None = None,
    at_most_once: bool | None = None,
    retry_on: Sequence[type[Exception] | str] = (),
    task_queue: str | None = None,
    local: bool = False,
) -> Callable[[T], T]:
    """Say how a tool behaves in durable runs; on the plain kernel it changes nothing.

    Write it above or below `@tool`; of several for one tool, the last one holds. `approval_timeout_s` is how long a
    call waits for a person (`@tool(approve=True)`, or a raised `Interrupt`); None means for ever. `on_timeout` says
    what happens then: "reject" tells the model that nobody decided, "approve" runs the tool, "fail" ends the run with
    `StopReason.ERROR`.

    The others go before the worker's `tool_policy`, and mean what they mean in `ActivityPolicy`; None leaves them to
    it. A tool that keeps the interpreter for long (one large regular expression, an extension in C) needs a
    `heartbeat_s` that is longer than that: nothing in the process can beat for it meanwhile. With `at_most_once` a
    call is not begun again when its worker is lost: the model reads that nobody knows whether it was done. What the
    tool raises is the model's to read, but for the exceptions in `retry_on`: after them it is called again while
    attempts are left. With a `task_queue` its calls go to the workers there, which serve the same agents. All of them
    are recorded when the model asks for the call, and hold for it from then on, whichever worker runs it.

    With `local` its calls run within the workflow task, as local activities: one event each, no way to the server. For
    what is quick, well under a second, and may be done twice: it is done again when the worker dies in the midst, and
    when it takes longer than `timeout_s` (here up to 5 s, which is also the default), fails in passing or has a result
    of more than 256 KB; then as any other tool. Meanwhile the run takes in nothing else.

    Raises:
        BadInput: a time is not a number of seconds above 0 and up to ten years, or a limit below 0.01 s, `attempts` is
            below 1, `retry_on` has something else than exceptions, or `on_timeout` is none of the three; or a local
            tool is gated, `at_most_once` or for another task queue, or may take longer than 5 s; or another
            tool of the same function has other options: they are the function's, and so those of every tool of it.
    """
    check_word("on_timeout", on_timeout, OnTimeout)
    if approval_timeout_s is not None:
        _checked({"timeout_s": approval_timeout_s}, prefix="approval_")
    approval = ApprovalPolicy(timeout_s=approval_timeout_s, on_timeout=on_timeout)
    options: dict[str, Any] = {
        "timeout_s": timeout_s,
        "heartbeat_s": heartbeat_s,
        "attempts": attempts,
        "retry_first_s": retry_first_s,
        "retry_longest_s": retry_longest_s,
        "at_most_once": at_most_once,
        "retry_on": retry_on if isinstance(retry_on, str) else tuple(retry_on) or None,
        "task_queue": task_queue,
    }
    own = _checked({name: value for name, value in options.items() if value is not None})
    if local:
        _check_local(own)

    def mark(target: T) -> T:
        if isinstance(target, Tool) and local and (problem := gated_and_local(target.name, approve=target.approve)):
            raise BadInput(problem)
        marked = target.func if isinstance(target, Tool) else target
        # A method that is bound anew each time has nothing of its own.
        _write(
            getattr(marked, "__func__", marked),
            {_APPROVAL: approval, _POLICY: own, _LOCAL: local},
            target if isinstance(target, Tool) else None,
        )
        return target

    return mark


def _write(func: Any, options: dict[str, Any], tool: Tool | None) -> None:
    """Have `func` hold the options, in the place of those that it had; `tool`: as the ones of that tool."""
    name, known = getattr(func, "__qualname__", repr(func)), getattr(func, _TOOL, None)
    other = known() if known is not None else None
    differ = any(getattr(func, each, value) != value for each, value in options.items())
    if tool is not None and other is not None and other is not tool and differ:
        raise BadInput(
            f"{name} has other options of @durable already, for the tool {other.name!r}, and every tool of that "
            "function has them: give each tool a function of its own"
        )
    try:
        for each, value in options.items():
            setattr(func, each, value)
        if tool is not None:
            setattr(func, _TOOL, weakref.ref(tool))
    except AttributeError:
        raise BadInput(f"{name} cannot hold the options of @durable: make it a function") from None


def approval_of(tool: Tool) -> ApprovalPolicy | None:
    """What becomes of a call of the tool that nobody decides; None: the tool does not say."""
    found = getattr(tool.func, _APPROVAL, None)
    return found if isinstance(found, ApprovalPolicy) else None


def policy_of(tool: Tool, default: ActivityPolicy) -> ActivityPolicy | None:
    """Time limits and attempts of the tool's calls, `default` where it does not say; None: it says nothing."""
    own = _own(tool)
    if is_local(tool):
        # How long it may take locally; a call that takes longer has the time of any other.
        own.pop("timeout_s", None)
    return default.model_copy(update=own) if own else None


def local_s_of(tool: Tool, policy: ActivityPolicy) -> float | None:
    """How long a call of the tool may take as a local activity; None: it is to be an ordinary one.

    `policy` is what holds for the call, the worker's own included: that may want another queue, or no second time.
    """
    if not is_local(tool) or tool.approve or policy.at_most_once or policy.task_queue is not None:
        return None
    return min(float(_own(tool).get("timeout_s", LONGEST_LOCAL_S)), policy.timeout_s)


def _own(tool: Tool) -> dict[str, Any]:
    own = getattr(tool.func, _POLICY, None)
    return dict(own) if isinstance(own, dict) else {}


def is_local(tool: Tool) -> bool:
    """Whether the tool's own options say that it is local."""
    return getattr(tool.func, _LOCAL, False) is True


def gated_and_local(name: str, *, approve: bool) -> str | None:
    """What is wrong with a local tool that is gated; None: it is not."""
    if not approve:
        return None
    return (
        f"tool {name!r} is gated and local: a call that waits for a person is no quick one; "
        "take away approve=True or local=True"
    )


def _check_local(own: dict[str, Any]) -> None:
    for name, why in (("at_most_once", "is done again when its worker dies"), ("task_queue", "runs with its workflow")):
        if own.get(name):
            raise BadInput(f"a local tool {why}: take away {name} or local=True")
    if own.get("timeout_s", 0.0) > LONGEST_LOCAL_S:
        raise BadInput(
            f"timeout_s is {own['timeout_s']!r}; a local tool holds up its run, and may take {LONGEST_LOCAL_S:g} s at "
            "the most: give it less, or take away local=True"
        )


def _checked(options: dict[str, Any], *, prefix: str = "") -> dict[str, Any]:
    """The options as they are recorded."""
    try:
        policy = ActivityPolicy.model_validate(options, strict=True)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise BadInput(f"{prefix}{wrong['loc'][0]} is {wrong['input']!r}: {wrong['msg'].lower()}") from None
    return {name: getattr(policy, name) for name in options}
