"""A tool call that another agent carries out, in a workflow of its own."""

from typing import Any, Final

from spine_core import Usage

from spine_temporal.contracts.base import WireModel
from spine_temporal.contracts.turn import Status


class Delegation(WireModel):
    """Which agent a call is given to, with what."""

    agent: str
    input: str
    task_queue: str | None = None
    """None: that of the workflow itself."""
    hooked: bool = False
    """The delegating agent has a hook that sees the result."""


class SubagentStatus(WireModel):
    """The argument of the signal `spine.child`: a child tells its parent that it paused, or goes on."""

    position: str
    """The parent's call, "step.index"."""
    status: Status
    number: int
    """Of the child's standing; a later one goes before an earlier one, whichever comes first."""
    interrupt: Any = None
    """What the child asks; left out when it is large."""


class SubagentOutcome(WireModel):
    """What came of a child."""

    answer: str | None = None
    reason: str = ""
    """The kernel's stop reason; empty: the workflow itself failed."""
    error: str | None = None
    usage: Usage = Usage()
    transfer: str | None = None


class WatchInput(WireModel):
    """The input of the activity `spine.watch`: wait until that workflow is over."""

    workflow_id: str
    position: str


# Attributes of a tool's function, by which a worker recognises what the tool does.
REMOTE_AGENT: Final = "__spine_temporal_agent__"
TRANSFERS_TO: Final = "__spine_temporal_transfers_to__"
