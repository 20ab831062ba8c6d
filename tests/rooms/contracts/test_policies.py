"""What a policy may say, and what it makes of an exception."""

from typing import Any

import pytest
from pydantic import ValidationError

from spine_temporal import ActivityPolicy
from spine_temporal.contracts.base import dump, load


class Overloaded(Exception):
    """As a library of the user's may raise it."""


class VeryOverloaded(Overloaded):
    """One of its kinds."""


NAME = f"{__name__}.Overloaded"


@pytest.mark.parametrize(
    ("given", "recorded"),
    [
        (Overloaded, NAME),
        (NAME, NAME),
        (KeyError, "builtins.KeyError"),
        ("KeyError", "builtins.KeyError"),
        ("httpx.ReadError", "httpx.ReadError"),
    ],
    ids=str,
)
def test_an_exception_is_recorded_by_its_name(given: Any, recorded: str) -> None:
    policy = ActivityPolicy(retry_on=(given,))

    assert load(ActivityPolicy, dump(policy)).retry_on == (recorded,)


@pytest.mark.parametrize(
    ("named", "raised", "retried"),
    [
        (Overloaded, Overloaded(), True),
        (Overloaded, VeryOverloaded(), True),
        (VeryOverloaded, Overloaded(), False),
        ("LookupError", KeyError(), True),
        ("Overloaded", Overloaded(), False),
    ],
    ids=["itself", "a subclass", "its base", "one of Python's own by a base", "without its module"],
)
def test_exceptions_and_their_subclasses_are_tried_again(named: Any, raised: Exception, *, retried: bool) -> None:
    assert ActivityPolicy(retry_on=(named,)).is_retried(raised) is retried


@pytest.mark.parametrize(
    "options",
    [
        {"retry_on": (int,)},
        {"retry_on": (KeyboardInterrupt,)},
        {"retry_on": ("",)},
        {"retry_on": (3,)},
        {"task_queue": ""},
        {"task_queue": "q" * 1001},
        {"timeout_s": float("inf")},
        {"timeout_s": float("nan")},
        {"heartbeat_s": 0},
        {"retry_first_s": 1e308},
        {"attempts": 0},
        {"attempt": 3},
    ],
    ids=str,
)
def test_what_no_server_and_no_reader_could_follow_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ActivityPolicy(**options)


def test_what_was_said_goes_before_and_the_rest_stays() -> None:
    worker = ActivityPolicy(timeout_s=60.0, attempts=3)

    assert worker.overridden(None) == worker
    assert worker.overridden(ActivityPolicy(attempts=10)) == ActivityPolicy(timeout_s=60.0, attempts=10)
    # Also where it was sent: that a default was named is not lost on the way.
    assert worker.overridden(load(ActivityPolicy, dump(ActivityPolicy(attempts=10)))).attempts == 10
