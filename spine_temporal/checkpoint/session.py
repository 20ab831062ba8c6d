"""What is known of a stored session."""

from dataclasses import dataclass

from spine_core import State


@dataclass(frozen=True, slots=True)
class Place:
    """The ids of the two workflows that may know of a session."""

    run: str
    """Of type `spine.agent`: a durable run."""
    holder: str
    """Of type `spine.checkpoint`: the puts of agents on the plain kernel."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A session as it is stored, with what the next put builds on."""

    state: State
    """Treat it as read-only."""
    token: str = ""
    """The put that made it."""
    run_id: str | None = None
    """The execution of the holder that has recorded the put; None: none that is open."""
    whole_bytes: int = 0
    """What the whole State weighed that the puts started from."""
    grown_bytes: int = 0
    """What was put on top of it in that execution, by whomever."""
    signals: int = 0
    """How many signals that took."""
    stages: tuple[str, ...] = ()
    """Workflows that hold a whole State too large to start the holder with."""
