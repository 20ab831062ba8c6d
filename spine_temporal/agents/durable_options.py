"""Options of a tool that only a durable run knows."""

from collections.abc import Callable
from typing import Any, Final

from spine_core import Tool

from spine_temporal.contracts.approval import ApprovalPolicy, OnTimeout
from spine_temporal.errors import BadInput

_ATTRIBUTE: Final = "__spine_temporal_approval__"


def durable[T: Tool | Callable[..., Any]](
    *, approval_timeout_s: float | None = None, on_timeout: OnTimeout = "reject"
) -> Callable[[T], T]:
    """Say how a tool behaves in durable runs; on the plain kernel it changes nothing.

    Write it above or below `@tool`. `approval_timeout_s` is how long a call waits for a person (`@tool(approve=True)`,
    or a raised `Interrupt`); None means for ever. `on_timeout` says what happens then: "reject" tells the model that
    nobody decided, "approve" runs the tool, "fail" ends the run with `StopReason.ERROR`.

    Raises:
        BadInput: the timeout is not positive, or `on_timeout` is none of the three.
    """
    if approval_timeout_s is not None and not approval_timeout_s > 0:
        raise BadInput(f"approval_timeout_s is {approval_timeout_s!r}; it is a number of seconds above 0, or None")
    if on_timeout not in ("reject", "approve", "fail"):
        raise BadInput(f"on_timeout is {on_timeout!r}; it is 'reject', 'approve' or 'fail'")
    policy = ApprovalPolicy(timeout_s=approval_timeout_s, on_timeout=on_timeout)

    def mark(target: T) -> T:
        setattr(target.func if isinstance(target, Tool) else target, _ATTRIBUTE, policy)
        return target

    return mark


def approval_of(tool: Tool) -> ApprovalPolicy | None:
    """What becomes of a call of the tool that nobody decides; None: the tool does not say."""
    found = getattr(tool.func, _ATTRIBUTE, None)
    return found if isinstance(found, ApprovalPolicy) else None
