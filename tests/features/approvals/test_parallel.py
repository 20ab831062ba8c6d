"""Decisions beside work: calls side by side, a decision on a call whose turn has not come."""

import pytest
from spine_core import Interrupt, StopReason, Tool, tool

from spine_temporal import Decision
from tests.features.approvals.payers import TOOLS, agent_that, has_pending, results
from tests.support.agents_at_hand import Gate
from tests.support.harness import Durable, assert_same, told
from tests.support.waiting import until

pytestmark = pytest.mark.durable


def slow(gate: Gate) -> Tool:
    @tool
    async def look(at: str) -> str:
        """Take a while."""
        await gate.pass_through()
        return f"saw {at}"

    assert isinstance(look, Tool)
    return look


async def test_a_call_decided_while_the_one_before_it_runs_does_not_pause_the_run(durable: Durable) -> None:
    gate = Gate()
    steps = [("look", {"at": "the bill"}), ("pay", {"amount": 2}), ("ask", {"question": "sure?"})]
    run = await durable(agent_that(steps, tools=[*TOOLS, slow(gate)])).start("pay")
    await gate.begun.wait()

    (waiting,) = await run.pending()
    assert (waiting.position, waiting.asked_at) == ("1.1", None)
    await run.decide(Decision(arguments={"amount": 3}, decided_by="anna"), waiting.position)
    gate.open.set()
    paused = await run.result()

    assert paused.interrupt == {"question": "sure?"}
    assert results(paused.state) == ["saw the bill", "paid 3 to acme"]
    assert [type_ for type_, _, _ in told(paused)].count("interrupt") == 1
    await run.decide("yes")
    assert (await run.next_result(after=1)).answer == "done"


async def test_every_question_of_calls_side_by_side_is_asked_while_the_others_finish(durable: Durable) -> None:
    gate = Gate()
    steps = [
        ("ask", {"question": "one?"}),
        ("look", {"at": "it"}),
        ("ask", {"question": "two?"}),
        ("add", {"a": 1, "b": 2}),
    ]
    agent = agent_that(steps, tools=[*TOOLS, slow(gate)], parallel_tools=True)
    run = await durable(agent).start("pay")
    await gate.begun.wait()
    gate.open.set()
    paused = await run.result()

    assert paused.interrupt == {"question": "one?"}
    assert paused.stopped_reason is StopReason.INTERRUPT
    assert paused.state.pending is not None
    assert paused.state.pending.call.id == "call_0"
    assert [(each.position, each.payload) for each in await run.pending()] == [
        ("1.0", {"question": "one?"}),
        ("1.2", {"question": "two?"}),
    ]
    await run.decide("zwei", "1.2")
    first = await run.decide("eins", "1.0")
    result = await run.next_result(after=first.status_number)

    assert results(result.state) == ["eins", "saw it", "zwei", "3"]
    assert result.answer == "done"
    assert result.state.pending is None
    assert result.state.scratch == {}


async def test_a_question_may_be_answered_while_another_call_still_runs(durable: Durable) -> None:
    gate, asked = Gate(), Gate()

    @tool
    async def wonder(about: str) -> str:
        """Ask, and let the test know."""
        asked.begun.set()
        raise Interrupt(about)

    steps = [("look", {"at": "it"}), ("wonder", {"about": "why?"})]
    agent = agent_that(steps, tools=[slow(gate), wonder], parallel_tools=True)
    run = await durable(agent).start("pay")
    await gate.begun.wait()
    await asked.begun.wait()
    await until(lambda: has_pending(run, 1), "the question")

    await run.decide("because", "1.1")
    gate.open.set()
    result = await run.result()

    assert results(result.state) == ["saw it", "because"]
    assert "interrupt" not in [type_ for type_, _, _ in told(result)]


async def test_with_a_gated_call_the_calls_run_one_after_another_as_on_the_kernel(durable: Durable) -> None:
    steps = [("add", {"a": 1, "b": 1}), ("pay", {"amount": 2}), ("add", {"a": 2, "b": 2}), ("add", {"a": 3, "b": 3})]
    kernel, served = agent_that(steps, parallel_tools=True), durable(agent_that(steps, parallel_tools=True))

    ours, theirs = await served.run("pay"), await kernel.run("pay")
    assert_same(ours, theirs)
    assert results(ours.state) == ["2"]
    ours, theirs = (
        await served.resume(str(ours.resume_token), True),
        await kernel.resume(str(theirs.resume_token), True),
    )

    # Those behind the gated call run side by side on both.
    assert results(ours.state) == results(theirs.state) == ["2", "paid 2 to acme", "4", "6"]
    assert sorted(told(ours), key=str) == sorted(told(theirs), key=str)


async def test_stopping_a_pause_of_calls_side_by_side_ends_it_with_what_was_said(durable: Durable) -> None:
    steps = [("ask", {"question": "one?"}), ("add", {"a": 1, "b": 2})]
    run = await durable(agent_that(steps, parallel_tools=True)).start("pay")
    assert (await run.result()).interrupted

    await run.stop()

    stopped = await run.next_result(after=1)
    assert (stopped.stopped_reason, stopped.state.pending) == (StopReason.CANCELLED, None)
    assert await run.pending() == []
