"""A conversation that goes on in another workflow."""

from typing import Any

from pydantic import Field

from spine_temporal.contracts.base import Basis, WireModel
from spine_temporal.contracts.policies import DEFAULT_POLICY, ActivityPolicy


class RestorePoint(WireModel):
    """The execution whose conversation goes on."""

    workflow_id: str
    run_id: str
    step: int | None = None
    """As it was after this step, for a fork; None: as it was left."""


class CarryOver(Basis):
    """What an execution hands to the one that continues it, beside the conversation itself."""

    run_id: str
    turn_run_id: str
    """The execution in which the turn in hand began."""
    progress: dict[str, Any] = Field(default_factory=dict)
    """The workflow's progress, without the texts that the restored conversation brings."""


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
    revision: str = ""
    """That of the execution before this one at its end: a worker that has it in memory need not read its history."""
    part: int = Field(default=0, ge=0)
    digest: str = ""
    """Of the conversation that part 0 belongs to; a later part belongs to the same, or says that it is another."""
    policy: ActivityPolicy = DEFAULT_POLICY


class RestoredBase(WireModel):
    """The part of a Restored that the workflow reads, too."""

    id: str
    progress: dict[str, Any] | None = None
    """The counters, for the workflow, in part 0; None: there was no conversation."""
    parts: int = 1
    size_bytes: int = 0
    digest: str = ""
    changed: bool = False
    """It is not the conversation that part 0 was of: begin again."""


class RestoredSummary(RestoredBase):
    """A Restored as the workflow reads it: from the same JSON, ignoring the rest."""


class Restored(RestoredBase):
    """The conversation as it was, or a part of it."""

    source: str = ""
    """Where it was found: "history" or "checkpoint"."""
    ledger: str = ""
    """A piece of it, as JSON, or zlib-compressed in base64."""
    packed: bool = False
