"""A pause is known within 0.3 s or a third of the time waited, two seconds at most."""

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
