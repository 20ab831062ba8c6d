"""The published status of a conversation."""

from typing import Literal

from spine_temporal.contracts.base import Basis
from spine_temporal.contracts.run_end import Ending

type Status = Literal["running", "paused", "idle"]


class StatusRecord(Basis):
    """The workflow's memo `spine`, written anew when a turn begins, pauses, goes on, ends.

    The history holds each of them, so whoever folds it need not re-enact clocks and races; lists of workflows show
    the last.
    """

    agent: str
    session_id: str
    status: Status = "running"
    turn: int = 1
    number: int = 0
    """Counts the status changes of a conversation from 1 on; 0: it was written by whoever started the workflow."""
    ending: Ending | None = None
    """How the turn ended or why it paused, when nothing before has recorded it."""
    at: int | None = None
    """Which call of the step the turn is paused at."""
    at_s: float = 0.0
    """When, in Unix time by the server's clock."""
    worked_s: float = 0.0
    """How long the turn has worked, waiting for people left out."""
    asks: int = 0
    """How many calls may be decided; those of the agents below are in these agents' own."""
    asked_s: float = 0.0
    """Since when the first of them waits, in Unix time; 0: all have calls before them to wait for."""


class ExpiryRecord(Basis):
    """The workflow's memo `spine.expired`: nobody decided in time."""

    position: str
    approved: bool
    timeout_s: float
    at_s: float = 0.0
    error: str | None = None
    """The run ends with it (`on_timeout="fail"`)."""
