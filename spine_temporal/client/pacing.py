"""How often a run is looked at by whoever waits for it, or reads along."""

import time
from typing import Final

# A pause is known within 0.3 s or a third of the time waited by then, two seconds at most: seven requests in
# five seconds, then one in two.
_FIRST_S: Final = 0.3
_SHARE: Final = 1 / 2
_LAST_S: Final = 2.0
# Of the time between two beats, after a look that found news, after one that found none, after several. So looks come
# ever a little earlier, until one comes before its beat; another look soon after is then right behind it.
_NEWS, _TOO_EARLY, _SILENCE = 7 / 8, 1 / 4, 1.0


def until_next_look_s(began_s: float) -> float:
    """How long not to look; the wait began at `began_s`, by the monotonic clock."""
    return min(_LAST_S, max(_FIRST_S, (time.monotonic() - began_s) * _SHARE))


def until_next_beat_s(every_s: float, misses: int) -> float:
    """How long not to look at what is written, which comes with a worker's beats, `every_s` apart while there is news.

    `misses` is how many looks in a row have found nothing new. Nobody's clock is asked: mostly a look comes within a
    quarter of `every_s` after its beat, and there are at most half as many looks more than beats.
    """
    return every_s * (_NEWS, _TOO_EARLY, _SILENCE)[min(misses, 2)]
