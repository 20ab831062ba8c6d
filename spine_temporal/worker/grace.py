"""How long a worker process takes to end, in one formula."""

from typing import Final

GRACEFUL_SHUTDOWN_S: Final = 15.0
"""What is in flight has these to finish, unless a setting says otherwise: with what follows, 30 s in all."""

DEADLINE_S: Final = 10.0
"""What then is still there is cancelled and handed over; this long after that the process is gone in any case."""

# The interpreter's end, an exporter's last batch (5 s at most) included.
_SPARE_S: Final = 5.0


def grace_period_s(graceful_shutdown_s: float = GRACEFUL_SHUTDOWN_S) -> float:
    """The seconds that whoever stops a worker with this setting must give it before killing it."""
    return graceful_shutdown_s + DEADLINE_S + _SPARE_S
