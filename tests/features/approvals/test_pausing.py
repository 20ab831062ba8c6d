"""A run that is paused: its hooks, its end."""

import asyncio

import pytest
from spine_core import StopReason, StopRun, ToolContext

from spine_temporal.contracts.policies import ContinuePolicy
from tests.features.approvals.payers import STEPS, Diary, agent_that, results
from tests.support.harness import Durable, assert_same, told

pytestmark = pytest.mark.durable

ANSWERS = ["yes", "quite", "no"]


@pytest.mark.parametrize("events", [None, 1], ids=["one execution", "continuing as new"])
async def test_hooks_run_at_every_pause_and_resume_as_on_the_kernel(durable: Durable, events: int | None) -> None:
    ours, theirs = Diary(), Diary()
    served = durable(agent_that(*STEPS, middleware=[ours]), continue_policy=ContinuePolicy(events=events))
    kernel = agent_that(*STEPS, middleware=[theirs])

    result, expected = await served.run("pay"), await kernel.run("pay")
    for answer in ANSWERS:
        assert_same(result, expected)
        result = await served.resume(str(result.resume_token), answer)
        expected = await kernel.resume(str(expected.resume_token), answer)
    assert_same(result, expected)

    assert ours.lines == theirs.lines
    assert ours.lines == ["start", "end interrupt"] * 3 + ["start", "end final"]


async def test_a_paused_run_that_is_stopped_ends_with_what_was_said(durable: Durable) -> None:
    diary = Diary()
    run = await durable(agent_that(*STEPS, middleware=[diary])).start("pay")
    await run.result()

    await run.stop()
    result = await run.next_result(after=1)

    assert result.stopped_reason is StopReason.CANCELLED
    assert (result.state.pending, result.state.status) == (None, "done")
    assert "deferred_calls" not in result.state.scratch
    assert told(result)[-1] == ("guard_trip", 1, {"reason": "cancelled"})
    assert diary.lines == ["start", "end interrupt", "end cancelled"]


async def test_a_paused_run_that_is_cancelled_is_over_at_once(durable: Durable) -> None:
    diary = Diary()
    run = await durable(agent_that(*STEPS, middleware=[diary])).start("pay")
    await run.result()

    await run.cancel()
    result = await run.next_result(after=1)

    assert result.stopped_reason is StopReason.CANCELLED
    assert result.state.pending is None
    assert await run.pending() == []
    assert diary.lines == ["start", "end interrupt", "end cancelled"]


async def test_a_run_that_is_stopped_after_its_decision_carries_the_decision_out(durable: Durable) -> None:
    run = await durable(agent_that([("pay", {"amount": 5})])).start("pay")
    await run.result()

    await asyncio.gather(run.decide(True), run.stop(), return_exceptions=True)
    result = await run.next_result(after=1)

    # Whichever came first: the run is over, and what it did is told.
    assert result.stopped_reason is StopReason.CANCELLED
    assert results(result.state) in (["paid 5 to acme"], [])


class Vetoing:
    """Ends the run when a call that was approved is about to run."""

    def __init__(self) -> None:
        self._asked = False

    async def before_tool(self, ctx: ToolContext) -> None:
        if self._asked:
            raise StopRun(StopReason.GUARDRAIL, f"no {ctx.call.name} on a Sunday")
        self._asked = True


async def test_a_hook_may_end_the_run_when_an_approved_call_is_about_to_run(durable: Durable) -> None:
    served = durable(agent_that(*STEPS, middleware=[Vetoing()]))
    paused = await served.run("pay")

    result = await served.resume(str(paused.resume_token), True)

    # From the kernel's resume it escapes as an exception.
    assert (result.stopped_reason, result.answer) == (StopReason.GUARDRAIL, "no pay on a Sunday")
    assert (result.state.pending, result.state.status, results(result.state)) == (None, "done", [])
