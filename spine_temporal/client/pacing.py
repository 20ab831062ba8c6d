"""How often a run is looked at by whoever waits for it."""

import time
from typing import Final

# A pause is known within 0.3 s or a third of the time waited by then, two seconds at most: seven requests in
# five seconds, then one in two.
_FIRST_S: Final = 0.3
_SHARE: Final = 1 / 2
_LAST_S: Final = 2.0


def until_next_look_s(began_s: float) -> float:
    """How long not to look; the wait began at `began_s`, by the monotonic clock."""
    return min(_LAST_S, max(_FIRST_S, (time.monotonic() - began_s) * _SHARE))
