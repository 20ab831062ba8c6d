"""A further turn of a conversation."""

from typing import Literal

from pydantic import Field

from spine_temporal.contracts.base import LONGEST_S, MIN_TOKENS_EVERY_S, GivenModel, WireModel

type OnBusy = Literal["queue", "reject"]


class TurnRequest(GivenModel):
    """The argument of the update `spine.turn`: what the user says next."""

    input: str = Field(min_length=1)
    on_busy: OnBusy = "queue"
    """What to do while another turn runs or is paused: wait behind it, or refuse."""
    agent: str | None = None
    """Whom it is for; refused when the session is with another agent. None: whoever it is."""
    session_id: str | None = None
    """Which session it is for: two prefixes may make one workflow id of two session ids. None: whichever it is."""
    tokens_every_s: float | None = Field(default=None, ge=MIN_TOKENS_EVERY_S, le=LONGEST_S, allow_inf_nan=False)
    """How often the text of an answer is streamed while the model writes it; None: not before it is written."""
    run_id: str | None = None
    """The execution it was sent to. Another one has it from a reset: it was accepted before, so it is not refused now
    because a turn is in hand. None: it may be."""
    tenant_id: str | None = None
    """Whose the conversation is; refused when it is another tenant's. None: whosever it is."""
    trace: str = ""
    """The span of whoever says it, as a W3C `traceparent`; empty: nobody traces it."""


class TurnTaken(WireModel):
    """The result of the update `spine.turn`: the turn is in the conversation, or in its queue."""

    turn: int
    waits: bool = False
    """Another turn was in hand."""


class StopRequest(GivenModel):
    """The argument of the signal `spine.stop_turn`."""

    turn: int
    """The turn that is to end, or not to begin."""


class StreamRequest(GivenModel):
    """The argument of the signal `spine.stream`: somebody wants to read along, from the next step of the turn on."""

    tokens_every_s: float = Field(ge=MIN_TOKENS_EVERY_S, le=LONGEST_S, allow_inf_nan=False)


class QueuedTurn(WireModel):
    """A turn that waits while another one runs."""

    turn: int
    input: str
    tokens_every_s: float | None = None
    trace: str = ""
