"""`spine-temporal scale`: the work of a task queue, as autoscalers are answered."""

import json

import pytest

from tests.rooms.cli.command import CommandLine

pytestmark = pytest.mark.durable
QUEUE = "of-these-tests-alone"


async def test_queue_that_nobody_knows_has_no_work(alone: CommandLine) -> None:
    as_json, printed = await alone("scale", QUEUE, "--json"), await alone("scale", QUEUE)

    assert json.loads(as_json.out) == {"value": 0, "backlog": 0, "in_hand": 0}
    assert "tasks that wait for a worker" in printed.out
