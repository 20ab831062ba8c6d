"""What a worker must know to record the span of an agent's work."""

from spine_core import StopReason

from spine_temporal.contracts.base import WireModel


class SegmentInput(WireModel):
    """The input of the local activity `spine.segment`, of which no history holds more than that it was done.

    A segment lasts from a turn's beginning, or a pause's end, to the next stop; waiting for people is in none.
    """

    agent: str
    session_id: str
    chain: str
    turn: int
    number: int
    """Of the status change that the segment began with."""
    caller: str = ""
    """The span of whoever began the turn, as `traceparent`."""
    began_s: float
    """In Unix time."""
    reason: StopReason
    steps: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    """None: nobody knows."""


class SegmentRecorded(WireModel):
    """The span was recorded, or already had been."""
