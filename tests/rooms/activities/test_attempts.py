"""How many attempts a policy leaves."""

import time

import pytest

from spine_temporal import ActivityPolicy
from spine_temporal.activities.current import Attempt
from spine_temporal.contracts.progress import AttemptProgress

THREE, ONCE = ActivityPolicy(attempts=3), ActivityPolicy(attempts=3, at_most_once=True)


def attempt(number: int, *, handovers: int = 0, missed: int = 0, called: bool = False) -> Attempt:
    progress = AttemptProgress(handovers=handovers, missed=missed)
    return Attempt(progress, number, time.monotonic(), 0.0, called=called)


@pytest.mark.parametrize(
    ("policy", "present", "too_many", "another"),
    [
        (THREE, attempt(1), False, True),
        (THREE, attempt(3), False, False),
        (THREE, attempt(4), True, False),
        (THREE, attempt(9, handovers=6), False, False),
        (THREE, attempt(4, missed=2), False, True),
        (THREE, attempt(5, missed=2), False, False),
        (THREE, attempt(4, missed=3), True, True),
        (THREE, attempt(6, missed=3), True, False),
        (ONCE, attempt(1), False, True),
        (ONCE, attempt(1, called=True), False, False),
        (ONCE, attempt(2), True, True),
        (ONCE, attempt(2, missed=1), True, True),
        (ONCE, attempt(2, handovers=1), False, True),
    ],
    ids=[
        "the first",
        "the last",
        "one more",
        "after handovers",
        "after silent ones",
        "the last, after silent ones",
        "silent too often",
        "both too often",
        "once",
        "once, and called",
        "a second one, of once",
        "of once, after a silent one",
        "of once, after a handover",
    ],
)
def test_silent_attempts_and_failed_ones_are_counted_apart(
    policy: ActivityPolicy, present: Attempt, *, too_many: bool, another: bool
) -> None:
    assert present.is_one_too_many(policy) is too_many
    assert present.has_another(policy) is another
