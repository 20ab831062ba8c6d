"""A decision that cannot be taken is refused with the reason, and nothing enters the history."""

import asyncio
import uuid
from typing import Any

import pytest
from spine_core import StopReason
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from spine_temporal import Decision, DurableAgent
from spine_temporal.contracts import names
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.errors import BadInput, DecisionRefused
from tests.features.approvals.payers import agent_that, refused, results
from tests.support.agents_at_hand import Gate
from tests.support.harness import Durable, history_of

pytestmark = pytest.mark.durable

TWO = [("pay", {"amount": 1}), ("pay", {"amount": 2})]
QUESTION = [("ask", {"question": "which account?"})]


async def test_a_decision_that_does_not_fit_is_refused_and_the_run_still_waits(durable: Durable) -> None:
    run = await durable(agent_that(TWO)).start("pay")
    await run.result()
    client = durable.client

    waiting = r"waiting: 'call_0' \(1.0, pay\), 'call_1' \(1.1, pay\)"
    async with refused(client, run, DecisionRefused, rf"{run.id}.*no call 'call_9' waits for a decision; {waiting}"):
        await run.decide(True, "call_9")
    async with refused(client, run, DecisionRefused, rf"no call '2.0' waits for a decision; {waiting}"):
        await run.decide(True, "2.0")
    async with refused(client, run, DecisionRefused, r"has other arguments \(digest \w+\) than .* \(digest abc\)"):
        await run.decide(Decision(digest="abc"), "call_0")
    async with refused(
        client, run, DecisionRefused, "the edited arguments do not fit tool 'pay': amount: 'x' is not of type 'integer'"
    ):
        await run.decide(Decision(arguments={"amount": "x"}), "call_1")
    async with refused(client, run, DecisionRefused, "do not fit tool 'pay': 'amount' is a required property"):
        await run.decide(Decision(arguments={"to": "ben"}), "call_1")
    async with refused(client, run, DecisionRefused, "fit tool 'pay': it has no 'amuont'; it has: amount, to"):
        await run.decide(Decision(arguments={"amuont": 3}), "call_1")
    async with refused(client, run, DecisionRefused, "a rejected call of 'pay' does not run: it takes no arguments"):
        await run.decide(Decision(approve=False, arguments={"amount": 3}), "call_1")

    await run.decide(True, "1.1")
    await run.decide(True)
    assert results((await run.next_result(after=1)).state) == ["paid 1 to acme", "paid 2 to acme"]


async def test_a_call_is_decided_once_and_whoever_is_late_is_told_by_whom(durable: Durable) -> None:
    run = await durable(agent_that(TWO, QUESTION)).start("pay")
    await run.result()
    await run.decide(Decision(approve=False, decided_by="anna"), "call_1")

    async with refused(
        durable.client, run, DecisionRefused, "no call 'call_1' waits .*: call 'call_1' of 'pay' was rejected by anna;"
    ):
        await run.decide(True, "call_1")
    async with refused(durable.client, run, DecisionRefused, "no call '1.1' waits .*: call 'call_1' of 'pay' was rej"):
        await run.decide(Decision(approve=False, decided_by="anna"), "1.1")
    # A step later its position is no call's of the step in hand.
    await run.decide(True, "call_0")
    assert (await run.next_result(after=1)).interrupt == {"question": "which account?"}
    async with refused(
        durable.client, run, DecisionRefused, r"no call '1.0' waits for a decision; waiting: .*2.0, ask"
    ):
        await run.decide(True, "1.0")


async def test_a_question_takes_a_value_not_arguments(durable: Durable) -> None:
    run = await durable(agent_that(QUESTION)).start("pay")
    await run.result()

    async with refused(
        durable.client, run, DecisionRefused, "tool 'ask' has asked a question while it ran: answer it with a value"
    ):
        await run.decide(Decision(arguments={"question": "this?"}))


async def test_a_gated_call_takes_no_value_for_a_yes(durable: Durable) -> None:
    run = await durable(agent_that(TWO)).start("pay")
    await run.result()

    async with refused(
        durable.client, run, DecisionRefused, "tool 'pay' asks for no value: approve the call, or reject it"
    ):
        await run.decide(Decision(value="no"))

    await run.decide(Decision(value="yes", approve=True), "call_1")
    assert [each.call_id for each in await run.pending()] == ["call_0"]


async def test_a_run_that_is_over_or_was_never_there_takes_no_decision(durable: Durable) -> None:
    served = durable(agent_that(TWO))
    run = await served.start("pay")
    await run.result()
    await run.stop()
    assert (await run.next_result(after=1)).stopped_reason is StopReason.CANCELLED

    async with refused(durable.client, run, DecisionRefused, f"run '{run.workflow_id}' is over, or was never there"):
        await run.decide(True, "call_0")
    assert await run.pending() == []


async def test_a_turn_that_was_stopped_takes_no_decision_though_its_session_is_open(durable: Durable) -> None:
    served = durable(agent_that(TWO))
    run = await served.start("pay", session_id=f"pay-{uuid.uuid4().hex}")
    await run.result()
    await run.stop()
    assert (await run.next_result(after=1)).stopped_reason is StopReason.CANCELLED

    async with refused(durable.client, run, DecisionRefused, "nothing waits for a decision"):
        await run.decide(True, "call_0")
    async with refused(durable.client, run, DecisionRefused, "nothing waits for a decision"):
        await run.decide(True)
    await served.get_run(run.id).stop()


async def test_a_running_run_takes_no_decision(durable: Durable) -> None:
    gate = Gate()

    class Slow:
        async def before_model(self, _: Any) -> None:
            await gate.pass_through()

    run = await durable(agent_that(middleware=[Slow()])).start("pay")
    await gate.begun.wait()

    async with refused(durable.client, run, DecisionRefused, f"session '{run.id}': nothing waits for a decision"):
        await run.decide(True)
    gate.open.set()
    await run.result()


@pytest.mark.parametrize("nonsense", [object(), {1: object()}, Decision(value=object())], ids=["object", "in", "value"])
async def test_a_decision_that_is_no_json_is_not_sent(client: Client, nonsense: Any) -> None:
    run = DurableAgent("agent", client).get_run("never")

    with pytest.raises(BadInput, match=r"a decision is a word, a truth value, JSON or a Decision; .* is none"):
        await run.decide(nonsense)


@pytest.mark.parametrize(
    "id_", ["x" * 1001, "é" * 501, "a\0b", "a\ud800", 5], ids=["long", "wide", "NUL", "half", "number"]
)
async def test_a_decision_with_an_id_that_no_server_takes_is_not_sent(client: Client, id_: Any) -> None:
    run = DurableAgent("agent", client).get_run("never")

    with pytest.raises(BadInput, match="of a decision"):
        await run.decide("approve", id=id_)


GARBAGE: list[list[Any]] = [
    ["nonsense"],
    [17],
    [{"call": 5}],
    [{"decision": {"approve": "perhaps"}}],
    [{"call": "call_0", "answer": "approve", "decision": {"approve": False}}],
    [b"\xff\xfe"],
    [None],
    [[]],
    [{"call": "call_0", "answer": True}, "one too many"],
    [],
]


async def test_garbage_sent_by_hand_is_refused_and_the_run_still_works(durable: Durable) -> None:
    served = durable(agent_that(TWO[:1]))
    run = await served.start("pay")
    await run.result()
    before = len((await history_of(durable.client, run)).events)
    handle = durable.client.get_workflow_handle(run.workflow_id)

    for garbage in GARBAGE:
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await handle.execute_update(names.DECIDE_UPDATE, args=garbage)
        assert isinstance(caught.value.cause, ApplicationError)

    assert len((await history_of(durable.client, run)).events) == before
    assert results((await served.resume(run.id, True)).state) == ["paid 1 to acme"]


@pytest.mark.parametrize("events", [None, 1], ids=["one execution", "continuing as new"])
async def test_the_same_decision_sent_twice_is_one(durable: Durable, events: int | None) -> None:
    served = durable(agent_that(TWO, QUESTION), continue_policy=ContinuePolicy(events=events))
    run = await served.start("pay")
    await run.result()

    first = await run.decide(True, "call_0", id="yes")
    assert (await run.next_result(after=first.status_number)).interrupt == {"tool": "pay", "arguments": {"amount": 2}}

    assert await run.decide(True, "call_0", id="yes") == first
    assert await run.decide(False, None, id="yes") == first
    assert [each.position for each in await run.pending()] == ["1.1"]
    paused = await served.resume(run.id, True)
    assert await run.decide(True, "call_0", id="yes") == first
    assert paused.interrupt == {"question": "which account?"}
    assert (await served.resume(run.id, "7")).answer == "done"


async def test_one_decision_id_does_not_stand_for_two_calls(durable: Durable) -> None:
    run = await durable(agent_that([*TWO, ("pay", {"amount": 3})])).start("pay")
    await run.result()
    first = await run.decide(True, "call_1", id="ticket-31")

    with pytest.raises(
        DecisionRefused, match=r"this decision was used for call 'call_1' \(1.1\); another call needs an"
    ):
        await run.decide(True, "call_2", id="ticket-31")

    assert await run.decide(True, f"{run.id}/1.1", id="ticket-31") == first
    assert [each.position for each in await run.pending()] == ["1.0", "1.2"]


async def test_an_id_that_a_turn_was_sent_with_names_no_decision(durable: Durable) -> None:
    served = durable(agent_that(TWO), continue_policy=ContinuePolicy(events=1))
    session = f"pay-{uuid.uuid4().hex}"
    run = await served.start("pay", session_id=session)
    await run.result()
    handle = durable.client.get_workflow_handle(run.workflow_id)
    await handle.execute_update(names.TURN_UPDATE, {"input": "and then?"}, id="once")

    first = await served.resume(session, True)
    assert first.interrupted
    decided = await run.decide(True, "call_1", id="once")

    assert decided.call_id == "call_1"
    assert (await served.get_run(session).result()).answer == "done"
    await served.get_run(session).stop()


async def test_of_ten_decisions_that_race_one_is_taken(durable: Durable) -> None:
    served = durable(agent_that(TWO[:1]))
    run = await served.start("pay")
    await run.result()
    before = len((await history_of(durable.client, run)).events)

    sent = [run.decide(Decision(decided_by=f"person {n}"), "call_0") for n in range(10)]
    outcomes = await asyncio.gather(*sent, return_exceptions=True)

    taken = [each for each in outcomes if not isinstance(each, BaseException)]
    lost = [str(each) for each in outcomes if isinstance(each, DecisionRefused)]
    assert (len(taken), len(lost)) == (1, 9)
    assert (await run.next_result(after=1)).answer == "done"
    history = await history_of(durable.client, run)
    updates = [
        each for each in history.events[before:] if each.HasField("workflow_execution_update_accepted_event_attributes")
    ]
    assert len(updates) == 1
