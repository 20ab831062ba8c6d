"""Whoever follows a team while a decision gets it on reads to the next stop, whichever history tells of it first."""

import asyncio
from typing import Any

import pytest
from spine_orchestration import Sequential

from tests.features.teams.crews import asking_leave, finder
from tests.features.teams.serving import Crew
from tests.features.teams.test_approvals_below import ended
from tests.support.agents_at_hand import Gate
from tests.support.subagents import workflow_below

pytestmark = pytest.mark.durable


async def test_who_reads_a_member_that_has_ended_since_the_team_was_read_reads_on_to_the_end(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    durable = await crew.serve({"line": Sequential(asking_leave(), finder())}, "line")
    run = await durable.start("go")
    assert (await run.result()).interrupted
    member, gate = await workflow_below(crew.client, run.workflow_id, "1.0"), Gate()
    describe = crew.client.workflow_service.describe_workflow_execution

    async def late(request: Any, **options: Any) -> Any:
        if request.execution.workflow_id == member and not gate.begun.is_set():
            await gate.pass_through()
        return await describe(request, **options)

    monkeypatch.setattr(crew.client.workflow_service, "describe_workflow_execution", late)
    watching = asyncio.create_task(types_of(durable.get_run(run.id)))
    await gate.begun.wait()

    await run.decide("approve")
    await ended(run)
    gate.open.set()

    assert await asyncio.wait_for(watching, 60) == await types_of(run)


async def types_of(run: Any) -> list[str]:
    return [str(event.type) async for event in run.events()]
