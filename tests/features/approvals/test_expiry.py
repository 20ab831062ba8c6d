"""A call that nobody decides in time."""

import uuid
from typing import Any

import pytest
from spine_core import Guards, Interrupt, StopReason, Tool, tool
from temporalio.api.history.v1 import HistoryEvent

from spine_temporal import Decision, DurableAgent
from spine_temporal import durable as durably
from spine_temporal.contracts.approval import OnTimeout
from spine_temporal.contracts.base import load
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.contracts.step import StepInput
from spine_temporal.errors import BadInput, DecisionRefused
from spine_temporal.history.folded import fold_execution
from tests.features.approvals.payers import agent_that, refused, results
from tests.support.agents_at_hand import Gate
from tests.support.harness import Durable, history_of

pytestmark = pytest.mark.durable

SOON_S = 0.2
ONE = [("pay", {"amount": 5})]
QUESTION = [("ask", {"question": "which account?"})]

EXPIRED = {
    "pay": {"reject": "Tool 'pay' was rejected: nobody decided within 0.2 s", "approve": "paid 5 to acme"},
    "ask": {"reject": "Tool 'ask' was rejected: nobody decided within 0.2 s", "approve": "approve"},
}


async def paused_then(served: Any, input: str = "pay") -> Any:
    """The first Result that is no pause."""
    run = await served.start(input)
    result, stop = await run.result(), 0
    while result.interrupted:
        stop += 1
        result = await run.next_result(after=stop)
    return result


@pytest.mark.parametrize("events", [None, 1], ids=["one execution", "continuing as new"])
@pytest.mark.parametrize("on_timeout", ["reject", "approve"])
@pytest.mark.parametrize("step", [ONE, QUESTION], ids=["gated", "question"])
async def test_a_call_that_nobody_decides_is_rejected_or_approved(
    durable: Durable, step: list[Any], on_timeout: OnTimeout, events: int | None
) -> None:
    served = durable(
        agent_that(step),
        client_options={"approval_timeout_s": SOON_S, "on_timeout": on_timeout},
        continue_policy=ContinuePolicy(events=events),
    )

    result = await paused_then(served)

    assert results(result.state) == [EXPIRED[step[0][0]][on_timeout]]
    assert result.answer == "done"
    ledger = await fold_execution(durable.client, (served.runs[0].workflow_id, ""))
    made = [(each.position, each.decision, each.decided_by, each.reason) for each in ledger.decisions]
    assert made == [("1.0", "expired", None, "nobody decided within 0.2 s")]


async def test_a_run_may_fail_when_nobody_decides(durable: Durable) -> None:
    steps = [*ONE, *QUESTION]
    served = durable(agent_that(steps), client_options={"approval_timeout_s": SOON_S, "on_timeout": "fail"})

    result = await paused_then(served)

    assert result.stopped_reason is StopReason.ERROR
    assert result.error == "nobody decided on call 'call_0' of 'pay' within 0.2 s"
    assert (result.state.pending, result.state.status, result.state.scratch) == (None, "error", {})
    run = served.runs[0]
    assert await run.pending() == []
    async with refused(durable.client, run, DecisionRefused, "is over, or was never there"):
        await run.decide(True)


def below() -> Tool:
    @tool(approve=True)
    @durably(approval_timeout_s=SOON_S, on_timeout="approve")
    async def pay(amount: int) -> str:
        """Pay."""
        return f"paid {amount}"

    assert isinstance(pay, Tool)
    return pay


def above() -> Tool:
    @durably(approval_timeout_s=SOON_S, on_timeout="approve")
    @tool(approve=True)
    def pay(amount: int) -> str:
        """Pay."""
        return f"paid {amount}"

    assert isinstance(pay, Tool)
    return pay


@pytest.mark.parametrize("make", [below, above])
async def test_a_tools_own_policy_goes_before_the_runs(durable: Durable, make: Any) -> None:
    served = durable(agent_that(ONE, tools=[make()]), client_options={"approval_timeout_s": 3600.0})

    assert results((await paused_then(served)).state) == ["paid 5"]


async def test_a_tool_may_wait_for_ever_where_the_run_would_not(durable: Durable) -> None:
    @durably()
    @tool
    async def wonder() -> str:
        """Ask."""
        raise Interrupt("why?")

    steps = [("wonder", {}), *ONE]
    served = durable(
        agent_that(steps, tools=[wonder, below()]), client_options={"approval_timeout_s": SOON_S, "on_timeout": "fail"}
    )
    run = await served.start("pay")
    await run.result()

    assert [each.expires_at for each in await run.pending()] == [None, None]
    await run.decide("because", "1.0")
    # The time of the second call runs from the moment the run waits for it.
    paused = await run.next_result(after=2)
    while paused.interrupted:
        paused = await run.next_result(after=4)
    assert results(paused.state) == ["because", "paid 5"]


async def test_each_question_of_calls_side_by_side_has_its_own_time(durable: Durable) -> None:
    steps = [("ask", {"question": "one?"}), ("ask", {"question": "two?"}), ("ask", {"question": "three?"})]
    served = durable(agent_that(steps, parallel_tools=True), client_options={"approval_timeout_s": SOON_S})

    result = await paused_then(served)

    assert results(result.state) == ["Tool 'ask' was rejected: nobody decided within 0.2 s"] * 3


async def test_a_decision_made_in_time_ends_the_waiting(durable: Durable) -> None:
    steps = [*ONE, *QUESTION]
    served = durable(agent_that(steps), client_options={"approval_timeout_s": 3600.0, "on_timeout": "fail"})
    paused = await served.run("pay")

    again = await served.resume(str(paused.resume_token), Decision(decided_by="anna"))
    assert again.interrupt == {"question": "which account?"}
    assert (await served.resume(str(paused.resume_token), 7)).answer == "done"


async def test_a_late_decision_is_told_that_the_time_was_up(durable: Durable) -> None:
    steps = [("pay", {"amount": 1}), ("ask", {"question": "sure?"})]

    @tool
    @durably()
    async def ask(question: str) -> str:
        """Ask."""
        raise Interrupt(question)

    agent = agent_that(steps, tools=[ask, below()])
    run = await durable(agent).start("pay")
    await run.result()
    paused = await run.next_result(after=1)
    while paused.interrupt != "sure?":
        paused = await run.next_result(after=2)

    late = "call 'call_0' of 'pay' was left without a decision for 0.2 s"
    async with refused(durable.client, run, DecisionRefused, late):
        await run.decide(True, "1.0")
    await run.stop()
    await run.next_result(after=3)


async def test_a_session_goes_on_after_a_turn_that_failed_for_want_of_a_decision(durable: Durable) -> None:
    served = durable(agent_that(ONE), client_options={"approval_timeout_s": SOON_S, "on_timeout": "fail"})
    session = f"pay-{uuid.uuid4().hex}"
    run = await served.start("pay", session_id=session)
    await run.result()
    assert (await run.next_result(after=1)).stopped_reason is StopReason.ERROR

    result = await served.run("and now?", session_id=session)

    assert result.answer == "done"
    assert results(result.state) == ["Tool 'pay' was not run: the turn was over before it."]
    await served.get_run(session).stop()


@pytest.mark.parametrize(
    ("timeout_s", "on_timeout"), [(0.0, "reject"), (-1.0, "reject"), (1.0, "perhaps"), (float("nan"), "reject")]
)
def test_a_policy_that_is_none_is_refused(timeout_s: float, on_timeout: Any) -> None:
    with pytest.raises(BadInput, match=r"approval_timeout_s|on_timeout"):
        durably(approval_timeout_s=timeout_s, on_timeout=on_timeout)
    with pytest.raises(BadInput, match=r"approval_timeout_s|on_timeout"):
        DurableAgent("agent", None, approval_timeout_s=timeout_s, on_timeout=on_timeout)  # type: ignore[arg-type]


@pytest.mark.parametrize("target", [below, above])
def test_the_mark_changes_nothing_for_the_kernel(target: Any) -> None:
    marked = target()

    assert (marked.name, marked.approve, marked.parameters["required"]) == ("pay", True, ["amount"])


async def test_the_time_of_a_call_that_was_decided_early_is_nobody_elses(durable: Durable) -> None:
    gate = Gate()

    @tool
    async def look() -> str:
        """Take a while."""
        await gate.pass_through()
        return "seen"

    @tool
    @durably(approval_timeout_s=3 * SOON_S, on_timeout="approve")
    async def wonder() -> str:
        """Ask."""
        raise Interrupt("why?")

    @tool(approve=True)
    async def sign() -> str:
        """Wait for ever."""
        return "signed"

    first: list[Any] = [("look", {}), ("pay", {"amount": 5})]
    second: list[Any] = [("wonder", {}), ("sign", {})]
    run = await durable(agent_that(first, second, tools=[look, wonder, sign, below()])).start("pay")
    await gate.begun.wait()
    await run.decide(True, "1.1")
    gate.open.set()

    assert (await run.result()).interrupt == "why?"
    # While it waits, the time is up that the call in the same place of the step before would have had.
    paused = await run.next_result(after=2)
    assert paused.interrupt == {"tool": "sign", "arguments": {}}
    assert results(paused.state) == ["seen", "paid 5", "approve"]
    await run.decide(False)
    assert (await run.next_result(after=3)).answer == "done"


async def test_the_guards_clock_stands_while_the_run_waits(durable: Durable) -> None:
    agent = agent_that(ONE, guards=Guards(timeout_s=3600.0))
    served = durable(agent, client_options={"approval_timeout_s": 2 * SOON_S, "on_timeout": "approve"})
    await paused_then(served)

    events = (await history_of(durable.client, served.runs[0])).events
    first = next(each for each in events if each.HasField("workflow_task_started_event_attributes"))
    paused = next(each for each in events if each.HasField("workflow_properties_modified_event_attributes"))
    fired = next(each for each in events if each.HasField("timer_fired_event_attributes"))
    step = [each for each in events if each.HasField("activity_task_scheduled_event_attributes")][-1]
    task = load(StepInput, step.activity_task_scheduled_event_attributes.input.payloads[0].data)

    assert task.step == 2
    assert task.elapsed_s <= seconds(first, step) - seconds(paused, fired)


def seconds(start: HistoryEvent, end: HistoryEvent) -> float:
    return (end.event_time.ToNanoseconds() - start.event_time.ToNanoseconds()) / 1e9
