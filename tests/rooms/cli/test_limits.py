"""`spine-temporal limits`: what the server holds all workers of a task queue to."""

import json
from typing import Any

import pytest

from spine_temporal.cli.exit_codes import Exit
from tests.rooms.cli.command import CommandLine

pytestmark = pytest.mark.durable


async def test_limits_are_set_shown_and_ended(alone: CommandLine) -> None:
    before = await alone("limits", "--json", *alone.queue)
    none: dict[str, Any] = {"task_queue": alone.queue[1], "per_second": None, "tenant_per_second": None, "weights": {}}
    assert (before.code, json.loads(before.out)) == (Exit.DONE, none), before.err

    given = ("--per-second", "5", "--tenant-per-second", "0.5", "--weight", "acme=2", "--weight", "e=m=3")
    limited = await alone("limits", *given, "--json", *alone.queue)
    assert json.loads(limited.out) == none | {
        "per_second": 5.0,
        "tenant_per_second": 0.5,
        "weights": {"acme": 2.0, "e=m": 3.0},
    }
    shown = await alone("limits", *alone.queue)
    assert "weight of acme                         2" in shown.out

    ended = ("--per-second", "0", "--tenant-per-second", "0", "--weight", "acme=", "--weight", "e=m=")
    assert json.loads((await alone("limits", *ended, "--json", *alone.queue)).out) == none


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--weight", "acme"], "--weight is 'acme'"),
        (["--weight", "acme=much"], "--weight is 'acme=much'"),
        (["--weight", "=2"], "--weight is '=2'"),
        (["--weight", "acme=-1"], "acme is -1.0"),
        (["--per-second", "nan"], "per_second is nan"),
        (["--per-second", "1e300"], "per_second is 1e+300"),
        (["--tenant-per-second", "-3"], "tenant_per_second is -3"),
    ],
)
async def test_what_is_no_limit_is_refused(alone: CommandLine, given: list[str], says: str) -> None:
    done = await alone("limits", *given, *alone.queue)

    assert (done.code, done.out) == (Exit.BAD_USAGE, "")
    assert says in done.err
