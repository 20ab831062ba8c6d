"""A person decides: with spine's words, with a Decision, from anywhere."""

import uuid
from typing import Any

import pytest
from spine_core import StopReason, ToolContext
from spine_core.errors import ResumeError
from temporalio.client import Client

from spine_temporal import Decision, DurableAgent
from spine_temporal.client.approvals import Approval
from spine_temporal.contracts import names
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.history.folded import fold_execution
from spine_temporal.journal.digest import digest_of
from tests.features.approvals.payers import agent_that, results
from tests.support.harness import Durable, activities_in, assert_same, history_of, told

pytestmark = pytest.mark.durable

ONE = [("pay", {"amount": 5})]
THREE = [("pay", {"amount": 1}), ("add", {"a": 1, "b": 2}), ("pay", {"amount": 3}), ("pay", {"amount": 4})]
QUESTION = [("ask", {"question": "which account?"})]


async def test_a_gated_call_interrupts_the_run_and_goes_on_once_approved(durable: Durable) -> None:
    kernel, served = agent_that(ONE), durable(agent_that(ONE))

    paused = await served.run("pay")
    assert_same(paused, await kernel.run("pay"))
    assert paused.interrupt == {"tool": "pay", "arguments": {"amount": 5}}
    assert paused.resume_token is not None
    assert (await served.runs[0].state()) == paused.state

    ours = await served.resume(paused.resume_token, "approve")
    assert kernel.last_result is not None
    assert_same(ours, await kernel.resume(str(kernel.last_result.resume_token), "approve"))
    assert results(ours.state) == ["paid 5 to acme"]
    assert served.last_result is ours
    assert activities_in(await history_of(durable.client, served.runs[0])) == [
        names.STEP_ACTIVITY,
        names.TOOL_ACTIVITY,
        names.TOOL_ACTIVITY,
        names.STEP_ACTIVITY,
    ]


WORDS: list[Any] = ["approve", "Approved", " yes ", "Y", "TRUE", "ok", "no", "", "go ahead"]
TRUTHS: list[Any] = [True, False, 1, 0, None, ["x"], {}]


async def test_every_word_and_truth_value_means_what_it_means_to_the_kernel(durable: Durable) -> None:
    kernel, served = agent_that(ONE, QUESTION), durable(agent_that(ONE, QUESTION))

    for answer in [*WORDS, *TRUTHS] if durable.mode.name == "normal" else TRUTHS[:2]:
        ours, theirs = await served.run("pay"), await kernel.run("pay")
        while theirs.resume_token is not None:
            ours = await served.resume(str(ours.resume_token), answer)
            theirs = await kernel.resume(theirs.resume_token, answer)
            assert_same(ours, theirs)


async def test_what_a_person_answers_a_question_is_the_tools_result(durable: Durable) -> None:
    kernel, served = agent_that(QUESTION), durable(agent_that(QUESTION))

    paused = await served.run("pay")
    assert_same(paused, theirs := await kernel.run("pay"))
    assert paused.interrupt == {"question": "which account?"}

    ours = await served.resume(str(paused.resume_token), {"account": [7, None]})
    assert_same(ours, await kernel.resume(str(theirs.resume_token), {"account": [7, None]}))
    assert results(ours.state) == ['{"account": [7, null]}']


async def test_a_run_is_resumed_from_another_client_that_knows_its_token_only(durable: Durable) -> None:
    paused = await durable(agent_that(ONE)).run("pay")
    elsewhere = await Client.connect(durable.client.service_client.config.target_host)

    result = await DurableAgent("anything", elsewhere).resume(str(paused.resume_token), "no")

    assert result.answer == "done"
    assert results(result.state) == ["Tool 'pay' was rejected by human: 'no'"]


async def test_resume_says_when_nothing_waits(durable: Durable) -> None:
    served = durable(agent_that(ONE))
    paused = await served.run("pay")
    await served.resume(str(paused.resume_token))

    with pytest.raises(ResumeError, match=rf"no resumable run for token '{paused.resume_token}': nothing waits"):
        await served.resume(str(paused.resume_token))
    with pytest.raises(ResumeError, match="no resumable run for token 'never': no run 'spine-never'"):
        await served.resume("never")


async def test_all_gated_calls_of_a_step_are_shown_at_once(durable: Durable) -> None:
    served = durable(agent_that(THREE), client_options={"approval_timeout_s": 3600.0})
    run = await served.start("pay")
    await run.result()

    first, second, third = await run.pending()

    assert first.asked_at is not None
    assert first.expires_at is not None
    assert (first.expires_at - first.asked_at).total_seconds() == 3600
    assert [each.asked_at for each in (second, third)] == [None, None]
    assert [each.position for each in (first, second, third)] == ["1.0", "1.2", "1.3"]
    assert [each.call_id for each in (first, second, third)] == ["call_0", "call_2", "call_3"]
    arguments = {"amount": 4}
    assert third == Approval(
        run=run.id,
        agent="agent",
        position="1.3",
        call_id="call_3",
        tool="pay",
        arguments=arguments,
        digest=digest_of(arguments),
        mode="approve",
        payload={"tool": "pay", "arguments": arguments},
        asked_at=None,
        expires_at=None,
        workflow_id=run.workflow_id,
    )


async def test_calls_decided_in_any_order_answer_in_the_order_of_the_calls_and_pause_once(durable: Durable) -> None:
    served = durable(agent_that(THREE))
    run = await served.start("pay")
    await run.result()

    await run.decide(False, "call_3")
    await run.decide(True, "1.2")
    assert [each.position for each in await run.pending()] == ["1.0"]
    result = await served.resume(run.id, True)

    assert result.answer == "done"
    assert results(result.state) == [
        "paid 1 to acme",
        "3",
        "paid 3 to acme",
        "Tool 'pay' was rejected by human: False",
    ]
    assert [event.type for event in result.trace if event.type == "interrupt"] == []


class Raising:
    """Adds one to what is paid."""

    async def before_tool(self, ctx: ToolContext) -> None:
        if "amount" in ctx.args:
            ctx.args["amount"] += 1


async def test_a_call_whose_arguments_a_hook_changed_after_its_decision_is_asked_again(durable: Durable) -> None:
    two = [("pay", {"amount": 1}), ("pay", {"amount": 3})]
    served = durable(agent_that(two, middleware=[Raising()]))
    run = await served.start("pay")
    await run.result()

    early = await run.decide(Decision(decided_by="anna"), "1.1")
    assert early.digest == digest_of({"amount": 3})
    again = await served.resume(run.id, True)

    assert again.interrupt == {"tool": "pay", "arguments": {"amount": 4}}
    (waiting,) = await run.pending()
    assert (waiting.position, waiting.digest) == ("1.1", digest_of({"amount": 4}))
    result = await served.resume(run.id, Decision(digest=waiting.digest))
    assert results(result.state) == ["paid 2 to acme", "paid 4 to acme"]


async def test_a_person_may_edit_the_arguments(durable: Durable) -> None:
    served = durable(agent_that(ONE, middleware=[Raising()]))
    paused = await served.run("pay")

    result = await served.resume(str(paused.resume_token), Decision(arguments={"amount": 2, "to": "ben"}))

    # The hook has seen the person's, not the model's; the conversation keeps what the model said.
    assert results(result.state) == ["paid 3 to ben"]
    assert result.state.messages[1].tool_calls[0].arguments == {"amount": 5}
    assert told(result)[:2] == [
        ("tool_call", 1, {"tool": "pay", "arguments": {"amount": 3, "to": "ben"}}),
        ("tool_result", 1, {"tool": "pay", "result": "paid 3 to ben"}),
    ]


@pytest.mark.parametrize(
    ("decision", "told_to_the_model"),
    [
        (Decision(), "approve"),
        (Decision(approve=False), "reject"),
        (Decision(approve=False, reason="ask me tomorrow"), "ask me tomorrow"),
        (Decision(value={"account": 7}, reason="it is his"), '{"account": 7}'),
        (Decision(value=False), "false"),
    ],
    ids=["yes", "no", "reason", "value", "false"],
)
async def test_a_question_is_answered_with_a_decisions_value(
    durable: Durable, decision: Decision, told_to_the_model: str
) -> None:
    served = durable(agent_that(QUESTION))
    paused = await served.run("pay")

    result = await served.resume(str(paused.resume_token), decision)

    assert results(result.state) == [told_to_the_model]


async def test_a_rejection_tells_the_model_the_reason(durable: Durable) -> None:
    served = durable(agent_that(ONE))
    paused = await served.run("pay")

    result = await served.resume(str(paused.resume_token), Decision(approve=False, reason="too much"))

    assert results(result.state) == ["Tool 'pay' was rejected by human: 'too much'"]


@pytest.mark.parametrize("events", [None, 1], ids=["one execution", "continuing as new"])
async def test_who_decided_what_and_why_is_in_the_ledger(durable: Durable, events: int | None) -> None:
    agent = agent_that(THREE, QUESTION)
    served = durable(agent, continue_policy=ContinuePolicy(events=events))
    run = await served.start("pay")
    await run.result()

    await run.decide(Decision(approve=False, decided_by="anna", reason="twice"), "1.2")
    await run.decide(Decision(arguments={"amount": 9}, decided_by="ben"), "1.3")
    await served.resume(run.id, "ok")
    await served.resume(run.id, Decision(value=7, decided_by="cleo"))

    ledger = await fold_execution(durable.client, (run.workflow_id, ""))
    made = [(each.position, each.tool, each.decision, each.decided_by, each.reason) for each in ledger.decisions]
    assert made == [
        ("1.2", "pay", "rejected", "anna", "twice"),
        ("1.3", "pay", "approved", "ben", None),
        ("1.0", "pay", "approved", None, None),
        ("2.0", "ask", "answered", "cleo", None),
    ]
    assert [each.edited for each in ledger.decisions] == [False, True, False, False]
    times = [each.at_s for each in ledger.decisions]
    assert times == sorted(times)
    assert times[0] > 0


async def test_a_named_session_pauses_and_goes_on_as_on_the_kernel(durable: Durable) -> None:
    kernel, served = agent_that(ONE, QUESTION), durable(agent_that(ONE, QUESTION))
    session = f"pay-{uuid.uuid4().hex}"

    ours, theirs = await served.run("pay", session_id=session), await kernel.run("pay", session_id=session)
    for answer in ("yes", "the second"):
        assert ours.resume_token == theirs.resume_token == session
        ours, theirs = await served.resume(session, answer), await kernel.resume(session, answer)
        assert_same(ours, theirs)
    assert ours.stopped_reason is StopReason.FINAL
    await served.get_run(session).stop()
