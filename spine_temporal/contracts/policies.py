"""How long an activity may take, how often it is tried."""

from pydantic import Field

from spine_temporal.contracts.base import WireModel


class ActivityPolicy(WireModel):
    """Time limits and attempts of one kind of activity, recorded in a run's spec when the run opens.

    An attempt is spent when the worker dies or a passing failure (connection, 429, 5xx) ends it. Handing over at a
    worker's shutdown spends none.
    """

    timeout_s: float = Field(default=3600.0, gt=0)
    """How long one attempt may take."""
    heartbeat_s: float = Field(default=5.0, gt=0)
    """A worker silent for this long is taken for dead; its work goes to another. It beats five times as often."""
    attempts: int = Field(default=10, ge=1)
    retry_first_s: float = Field(default=1.0, gt=0)
    """Pause before the second attempt; it doubles for each further one. A provider's Retry-After goes before it."""
    retry_longest_s: float = Field(default=60.0, gt=0)


class ContinuePolicy(WireModel):
    """When a run continues as a new execution, so that no history reaches the server's limits.

    It also does when the server suggests it, at 4,096 events or 4 MB on a stock one. None leaves it to the server.
    """

    events: int | None = Field(default=None, ge=1)
    size_bytes: int | None = Field(default=None, ge=1)
