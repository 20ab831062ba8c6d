"""A pause is known within 0.3 s or a third of the time waited, two seconds at most; tokens, soon after their beat."""

import statistics
import time

import pytest

from spine_temporal.client import pacing


@pytest.mark.parametrize("waited_s", [0.0, 0.1, 0.3, 0.6, 0.9, 1.5, 3.0, 4.1, 60.0, 86_400.0])
def test_next_look_comes_in_time(waited_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1_000.0 + waited_s)

    pause_s = pacing.until_next_look_s(1_000.0)

    # What happens right after a look is known at the next.
    assert 0 < pause_s <= min(2.0, max(0.3, (waited_s + pause_s) / 3 + 1e-9))


def test_five_seconds_take_few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s, looks = 0.0, 0
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    while now_s < 5.0:
        now_s += pacing.until_next_look_s(0.0)
        looks += 1

    assert looks <= 8


def looked_at_beats(every_s: float, *, answered_s: float, began_s: float, beats: int) -> tuple[list[float], int]:
    """How long after each of so many beats a look found it, and how many looks that took; each takes `answered_s`."""
    found_s, now_s, misses, looks, known = list[float](), began_s, 0, 0, 0
    while known < beats:
        now_s += pacing.until_next_beat_s(every_s, misses) + answered_s
        looks += 1
        last = min(beats, int(now_s / every_s))
        misses = 0 if last > known else misses + 1
        found_s += [now_s - beat * every_s for beat in range(known + 1, last + 1)]
        known = max(known, last)
    return found_s, looks


@pytest.mark.parametrize("answered_s", [0.0, 0.002, 0.01])
@pytest.mark.parametrize("began_s", [0.0, 0.03, 0.06, 0.09])
def test_looks_come_soon_after_the_beats_that_they_are_for(answered_s: float, began_s: float) -> None:
    found_s, looks = looked_at_beats(0.1, answered_s=answered_s, began_s=began_s, beats=200)

    assert statistics.mean(found_s[20:]) < 0.1 / 4
    assert looks <= 200 * 3 / 2 + 2


def test_where_nothing_is_written_there_is_one_look_in_the_time_of_a_beat() -> None:
    assert {pacing.until_next_beat_s(0.5, misses) for misses in range(2, 1000)} == {0.5}
