"""A conversation that goes on in another workflow."""

from typing import Any

from pydantic import Field

from spine_temporal.contracts.base import WireModel
from spine_temporal.contracts.subagent import SubagentStatus
from spine_temporal.contracts.turn import QueuedTurn


class RestorePoint(WireModel):
    """The execution whose conversation is gone on with."""

    workflow_id: str
    run_id: str
    step: int | None = None
    """As it was after this step, for a fork; None: as it was left."""


class CarryOver(WireModel):
    """What an execution hands to the one that continues it, beside the conversation itself."""

    run_id: str
    turn_run_id: str
    """The execution in which the turn in hand began."""
    turns: int
    queue: list[QueuedTurn] = []
    unwanted: list[int] = []
    """Queued turns that somebody stopped."""
    answered: dict[str, dict[str, Any]] = {}
    """Results of the latest updates by their ids: the server knows an id again within one execution only."""
    worked_s: float = 0.0
    children: list[str] = []
    """Positions of the children that are at work."""
    heard: list[SubagentStatus] = []
    """The last word of each of them."""
    deadlines: dict[str, float] = {}
    """Unix time at which a call's decision is due, by position."""
    idle_since_s: float | None = None


class RestoreInput(WireModel):
    """The input of the activity `spine.restore`."""

    agent: str
    session_id: str
    named: bool = False
    """The agent's checkpoint backend may know the conversation."""
    origin: RestorePoint | None = None
    """None: only the agent's own checkpoint backend is asked."""
    same: bool = False
    """The origin is the execution before this one: nothing is changed, nowhere else is looked."""
    part: int = Field(default=0, ge=0)


class Restored(WireModel):
    """The conversation as it was, or a part of it."""

    id: str
    progress: dict[str, Any] | None = None
    """The counters, for the workflow; None: there was no conversation."""
    source: str = ""
    """Where it was found: "history" or "checkpoint"."""
    ledger: str = ""
    """All of it, as JSON, or zlib-compressed in base64; of several parts, this one's."""
    packed: bool = False
    parts: int = 1
    size_bytes: int = 0


class RestoredSummary(WireModel):
    """A Restored as the workflow reads it."""

    id: str
    progress: dict[str, Any] | None = None
    parts: int = 1
    size_bytes: int = 0
