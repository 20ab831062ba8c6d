"""A team outlives its worker."""

import uuid
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest
from temporalio.client import Client

from spine_temporal import DurableAgent
from spine_temporal.history.folded import fold_execution
from spine_temporal.journal.ledger import subagents_of
from tests.features.teams import worker_main
from tests.support.harness import history_of, replay
from tests.support.processes import Fleet

pytestmark = pytest.mark.durable


class TeamFleet(Fleet):
    """Worker processes with a team."""

    main: ClassVar[ModuleType] = worker_main


async def test_a_team_whose_worker_is_killed_goes_on_with_the_member_at_work(client: Client, tmp_path: Path) -> None:
    point = "second-0"
    queue = f"teams-{uuid.uuid4().hex}"
    with TeamFleet(client.service_client.config.target_host, queue, tmp_path) as fleet:
        run = await DurableAgent("desk", client, task_queue=queue).start("otters")
        await fleet.kill_at(point)
        fleet.start()

        result = await run.result()

    assert result.answer == "third says otters"
    for step in ("first-0", "first-1", "second-0", "second-1", "third-0"):
        assert fleet.effects.count(f"finished {step}") == 1
        assert fleet.effects.count(f"started {step}") == (2 if step == point else 1)
    path = [each.agent for each in subagents_of(await fold_execution(client, (run.workflow_id, "")))]
    assert path == ["desk/first", "desk/second", "desk/third"]
    await replay(await history_of(client, run))
