"""A tool call that another agent carries out, in a workflow of its own."""

from pydantic import Field
from spine_core import Usage

from spine_temporal.contracts.base import WireModel
from spine_temporal.contracts.json_form import AnyJson
from spine_temporal.contracts.messages import AnyUsage
from spine_temporal.contracts.status import Status


class Delegation(WireModel):
    """Which agent a call is given to, with what."""

    agent: str
    input: str
    task_queue: str | None = None
    """None: that of the workflow itself."""
    hooked: bool = False
    """The delegating agent has a hook that sees the result."""
    trace: str = ""
    """The span of the call, as a W3C `traceparent`; empty: nobody traces it."""


class SubagentOutcome(WireModel):
    """What came of a subagent."""

    answer: str | None = None
    reason: str = ""
    """The kernel's stop reason; empty: the workflow itself failed."""
    error: str | None = None
    usage: AnyUsage = Field(default_factory=Usage)
    unpriced_tokens: int = 0
    """Those of its tokens whose price nobody knew."""
    transfer: str | None = None


class SubagentStatus(WireModel):
    """The argument of the signal `spine.child`: a subagent paused, goes on, or is over."""

    position: str
    """The parent's call, "step.index"."""
    status: Status
    number: int
    """Of the subagent's own status; a later one goes before an earlier one, whichever comes first."""
    interrupt: AnyJson = None
    """What the subagent asks; left out when it is large."""
    outcome: SubagentOutcome | None = None
    """It is over. Sent to a parent that has continued as new, for the server reports to the execution that started
    the child and to no other; and of a run that is cancelled, for the server does not say what it has used up."""


class SubagentLook(WireModel):
    """The input of the activity `spine.subagent`: what came of that workflow, if it is over."""

    workflow_id: str
    parent_id: str
    position: str


class SubagentReport(WireModel):
    """What `spine.subagent` found."""

    outcome: SubagentOutcome | None = None
    """None: it is not over."""
