"""The gate before a version becomes current: what it looks at, what it found."""

from pydantic import Field

from spine_temporal.contracts.base import GivenModel, WireModel


class GateRequest(GivenModel):
    """The argument of the workflow `spine.gate`, and of its activity; a start without one is this with its defaults."""

    histories: int = Field(default=50, ge=0, le=10_000)
    """How many histories of the task queue are replayed, those of open workflows first, at the most."""


class GateReport(WireModel):
    """The result of the workflow `spine.gate`, when nothing was found against the version."""

    agents: tuple[str, ...] = ()
    """Those that could be built."""
    replayed: int = 0
    problems: tuple[str, ...] = ()
