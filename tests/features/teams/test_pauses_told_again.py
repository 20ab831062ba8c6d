"""An execution that learns nothing new has no reason to continue as another one."""

import pytest

from spine_temporal.contracts import names
from tests.features.teams.serving import CONTINUING, Crew
from tests.features.teams.test_approvals_below import one_below
from tests.support.subagents import workflow_below
from tests.support.waiting import until

pytestmark = pytest.mark.durable


@pytest.mark.parametrize("mode", [CONTINUING], ids=["continuing"], indirect=True)
async def test_a_pause_below_that_is_told_again_continues_nothing(crew: Crew) -> None:
    durable = await crew.serve({"boss": one_below()})
    run = await durable.start("go")
    await run.result()
    child = crew.client.get_workflow_handle(await workflow_below(crew.client, run.workflow_id, "1.0"))

    async def told_in_one_execution() -> bool:
        await child.signal(names.REPORT_END_SIGNAL)
        history = await crew.client.get_workflow_handle(run.workflow_id).fetch_history()
        signals = [event.workflow_execution_signaled_event_attributes.signal_name for event in history.events]
        return signals.count(names.CHILD_SIGNAL) >= 3

    await until(told_in_one_execution, "an execution that is told a pause three times, and waits")
    assert (await durable.resume(run.id, "approve")).answer == "paid 5"
