"""A further turn of a conversation."""

from typing import Literal

from pydantic import Field

from spine_temporal.contracts.base import WireModel
from spine_temporal.contracts.run_end import Ending

type OnBusy = Literal["queue", "reject"]
type Status = Literal["running", "paused", "idle"]


class TurnRequest(WireModel):
    """The argument of the update `spine.turn`: what the user says next."""

    input: str = Field(min_length=1)
    on_busy: OnBusy = "queue"
    """What to do while another turn runs or is paused: wait behind it, or refuse."""
    agent: str | None = None
    """Whom it is said to; refused when the session is with another agent. None: whoever it is."""


class TurnTaken(WireModel):
    """The result of the update `spine.turn`: the turn is in the conversation, or in its queue."""

    turn: int
    waits: bool = False
    """Another turn was in hand."""


class StopRequest(WireModel):
    """The argument of the signal `spine.stop_turn`."""

    turn: int
    """The turn that is to end, or not to begin."""


class QueuedTurn(WireModel):
    """A turn that waits while another one runs."""

    turn: int
    input: str


class StatusRecord(WireModel):
    """Where a conversation stands: the workflow's memo `spine`, written anew at each turn, pause and end.

    The history holds each of them, so whoever folds it need not re-enact clocks and races; lists of workflows show
    the last.
    """

    agent: str
    session_id: str
    status: Status = "running"
    turn: int = 1
    number: int = 0
    """Counts the standings of a conversation from 1 on; 0: it was written by whoever started the workflow."""
    ending: Ending | None = None
    """How the turn ended or why it paused, when nothing before has said it."""
    at: int | None = None
    """Which call of the step the turn is paused at."""
