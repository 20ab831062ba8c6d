"""What a person decides of a tool call."""

from typing import Any, Literal

from pydantic import Field

from spine_temporal.contracts.base import WireModel

type OnTimeout = Literal["reject", "approve", "fail"]


class ApprovalPolicy(WireModel):
    """What becomes of a call that nobody decides.

    The time runs from the moment the run waits for this very call. "reject" tells the model that nobody decided,
    "approve" runs the tool, "fail" ends the run with `StopReason.ERROR`.
    """

    timeout_s: float | None = Field(default=None, gt=0)
    """How long a call waits for its decision; None: for ever."""
    on_timeout: OnTimeout = "reject"


class Decision(WireModel):
    """A decision with everything that may be said of it; spine's words and truth values say `approve` only.

    `value` answers a tool that raised `Interrupt`: it becomes the tool's result. `arguments` replace the model's, all
    of them; they must fit the tool's schema. A `digest`, as `Approval.digest` showed it, refuses the decision if the
    arguments are no longer those that were looked at.
    """

    approve: bool = True
    arguments: dict[str, Any] | None = None
    reason: str | None = None
    decided_by: str | None = None
    digest: str | None = None
    value: Any = None


class DecideRequest(WireModel):
    """The argument of the update `spine.decide`.

    Written by hand, `{"call": "call_7", "answer": "approve"}` is enough, or `{"call": ..., "decision": {...}}`.
    """

    call: str | None = None
    """The model's id of the call, or its position, "step.index"; None: the call that the run is paused at."""
    answer: Any = None
    """What spine's `resume` takes; used when there is no `decision`."""
    decision: Decision | None = None


class DecisionReceipt(WireModel):
    """The result of the update `spine.decide`."""

    position: str
    call_id: str
    tool: str
    approved: bool
    digest: str = ""
    """Of the arguments that were decided on."""
    standings: int = 0
    """How often the run had stopped or gone on before; whoever waits for what comes of it waits for a later one."""


class ApprovalRequest(WireModel):
    """A tool call that waits for a decision, as the activity that met it records it."""

    mode: str = "approve"
    """The kernel's: "approve" for a gated tool, "manual" for one that raised `Interrupt`."""
    payload: Any = None
    """What the kernel shows as `Result.interrupt`."""
    arguments: dict[str, Any] = {}
    digest: str = ""


class ApprovalRequestSummary(WireModel):
    """An Ask as the workflow sees it."""

    mode: str = "approve"
    payload: Any = None
    digest: str = ""


class ApprovalTimeout(WireModel):
    """Nobody decided in time."""

    approved: bool
    timeout_s: float
