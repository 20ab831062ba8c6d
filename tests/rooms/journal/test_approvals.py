"""Which decisions are accepted."""

from dataclasses import replace
from typing import Any

import pytest
from spine_core import StopReason

from spine_temporal.contracts.approval import ApprovalRequestSummary, DecideRequest, Decision, DecisionReceipt
from spine_temporal.contracts.step import PlannedCall
from spine_temporal.journal.approvals import (
    DecisionNotAccepted,
    check_decision,
    check_new_decision,
    receipt_of,
    says_yes,
)
from spine_temporal.journal.counters import Progress, paused_ending, stopped_by_guard, with_ending
from spine_temporal.journal.tool_calls import Call, CallDecision, Calls, Phase, ask, begin, decide

NAMES = ("pay", "add", "pay", "ask")
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"amount": {"type": "integer"}}, "required": ["amount"]}


def asking(*, ids: tuple[str, ...] = ("a", "b", "c", "d"), mode: str = "approve") -> Progress:
    """A run in step 3 whose first call asks; the last is no gated one."""
    planned = [
        PlannedCall(id=id_, name=name, approve=name == "pay", digest=f"planned {at}", parameters=SCHEMA)
        for at, (id_, name) in enumerate(zip(ids, NAMES, strict=True))
    ]
    first = ask(begin(Call(planned[0])), ApprovalRequestSummary(mode=mode, digest="asked 0"), None)
    return Progress(step=3, calls=Calls(3, (first, *map(Call, planned[1:]))))


def with_call(progress: Progress, index: int, call: Call) -> Progress:
    assert progress.calls is not None
    return replace(progress, calls=progress.calls.with_call(index, call))


def approved_by_anna(progress: Progress) -> Progress:
    """The first call was decided."""
    assert progress.calls is not None
    decision = CallDecision("u", approved=True, digest="asked 0")
    return with_call(progress, 0, decide(progress.calls.items[0], decision, "approved by anna"))


def accepted(progress: Progress, call: str | None, **request: Any) -> DecisionReceipt:
    """The receipt of a decision; the validator and the handler agree on it."""
    given = DecideRequest(call=call, **request)
    receipt = check_new_decision(progress, given)
    assert check_decision(progress, given) == receipt
    assert receipt_of(progress, given) == receipt
    return receipt


@pytest.mark.parametrize("word", ["approve", "approved", "yes", "y", "true", "ok", " OK\n", True, 1, ["no"], {"no": 1}])
def test_a_yes(word: Any) -> None:
    assert says_yes(word)


@pytest.mark.parametrize("word", ["", "no", "approve!", "1", "ja", False, 0, None, [], {}])
def test_a_no(word: Any) -> None:
    assert not says_yes(word)


@pytest.mark.parametrize(
    ("call", "position", "digest"),
    [(None, "3.0", "asked 0"), ("a", "3.0", "asked 0"), ("3.0", "3.0", "asked 0"), ("c", "3.2", "planned 2")],
)
def test_a_call_is_named_by_its_id_or_its_position(call: str | None, position: str, digest: str) -> None:
    decided = accepted(asking(), call, answer="ok")

    assert (decided.position, decided.approved, decided.digest) == (position, True, digest)


def test_of_two_calls_with_one_id_the_position_tells_which() -> None:
    progress = asking(ids=("x", "x", "x", "x"))

    with pytest.raises(
        DecisionNotAccepted, match=r"2 calls have the id 'x'; name one by its position: 'x' \(3.0, pay\), 'x' \(3.2"
    ):
        accepted(progress, "x", answer=True)
    assert accepted(progress, "3.2", answer=True).position == "3.2"


def test_an_id_that_is_the_position_of_another_call_is_refused() -> None:
    progress = asking(ids=("3.2", "b", "3.0", "d"))

    with pytest.raises(DecisionNotAccepted, match=r"'3.2' is the position of one call, the id of another"):
        accepted(progress, "3.2", answer=True)


@pytest.mark.parametrize("call", ["b", "d", "3.1", "3.3", "3.7", "2.0", "", "nonsense"])
def test_a_call_that_does_not_wait_is_refused(call: str) -> None:
    with pytest.raises(
        DecisionNotAccepted, match=rf"no call '{call}' waits for a decision; waiting: 'a' \(3.0, pay\), 'c' \(3.2"
    ):
        accepted(asking(), call, answer=True)


def test_a_call_that_was_decided_is_refused_with_what_was_decided() -> None:
    progress = approved_by_anna(asking())

    for call in ("a", "3.0"):
        with pytest.raises(
            DecisionNotAccepted, match=r"waits for a decision: call 'a' of 'pay' was approved by anna; waiting: 'c'"
        ):
            accepted(progress, call, answer=True)
    # The same place in another step is another call.
    with pytest.raises(DecisionNotAccepted, match=r"no call '2.0' waits for a decision; waiting"):
        accepted(progress, "2.0", answer=True)
    assert accepted(progress, None, answer=True).call_id == "c"


def test_a_late_decision_is_refused_with_what_was_decided_when_nothing_else_waits() -> None:
    late = approved_by_anna(asking())
    assert late.calls is not None
    alone = replace(late, calls=replace(late.calls, items=late.calls.items[:1]))

    for call in (None, "a"):
        with pytest.raises(DecisionNotAccepted, match=r"nothing waits for a decision: call 'a' of 'pay' was approved"):
            accepted(alone, call, answer=True)


def test_a_paused_run_accepts_a_decision_and_one_that_is_over_accepts_none() -> None:
    assert accepted(with_ending(asking(), paused_ending()), None, answer=False).approved is False
    with pytest.raises(DecisionNotAccepted, match="nothing waits for a decision"):
        accepted(with_ending(asking(), stopped_by_guard(StopReason.CANCELLED)), None, answer=True)
    with pytest.raises(DecisionNotAccepted, match="nothing waits for a decision"):
        accepted(replace(asking(), calls=None), None, answer=True)


@pytest.mark.parametrize(
    ("progress", "number"),
    [
        (Progress(status="running", status_number=4), 4),
        (Progress(status="running", status_number=4, ending=paused_ending()), 5),
        (Progress(status="paused", status_number=5, ending=paused_ending()), 5),
    ],
    ids=["it runs", "it is about to pause", "it is paused"],
)
def test_receipt_names_the_stop_after_which_something_comes_of_it(progress: Progress, number: int) -> None:
    receipt = accepted(replace(progress, calls=asking().calls), None, answer=True)

    assert receipt.status_number == number


def test_a_question_is_answered_whatever_the_answer() -> None:
    manual = asking(mode="manual")

    assert accepted(manual, "a", answer="no").approved
    with pytest.raises(DecisionNotAccepted, match="has asked a question while it ran"):
        check_decision(manual, DecideRequest(call="a", decision=Decision(arguments={})))


def test_a_delegated_call_is_decided_where_its_agent_works() -> None:
    delegated = with_call(asking(), 0, Call(PlannedCall(id="a", name="pay", approve=True), Phase.DELEGATED))

    assert accepted(delegated, None, answer=True).call_id == "c"


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        ({"arguments": {"amount": "seven"}}, "do not fit tool 'pay': amount: 'seven' is not of type 'integer'"),
        ({"arguments": {"amont": 7}}, "do not fit tool 'pay': it has no 'amont'; it has: amount"),
        ({"approve": False, "arguments": {"amount": 7}}, "a rejected call of 'pay' does not run"),
    ],
    ids=["of another type", "of another name", "rejected"],
)
def test_edited_arguments_that_cannot_be_used_are_refused(decision: dict[str, Any], why: str) -> None:
    given = DecideRequest(call="a", decision=Decision(**decision))

    with pytest.raises(DecisionNotAccepted, match=why):
        check_decision(asking(), given)
    # They are checked once, before the decision enters the history.
    assert receipt_of(asking(), given).call_id == "a"


def test_edited_arguments_that_fit_are_accepted() -> None:
    assert accepted(asking(), "a", decision=Decision(arguments={"amount": 7})).approved


@pytest.mark.parametrize(
    ("request_", "call_id"),
    [({"call_id": "c"}, "c"), ({"call": "3.2", "call_id": "c"}, "c"), ({"call": "3.2", "call_id": "a"}, None)],
    ids=["by its id", "by both", "the two name different calls"],
)
def test_an_id_beside_a_position_must_name_the_same_call(request_: dict[str, str], call_id: str | None) -> None:
    request = DecideRequest(**request_, answer=True)

    if call_id is not None:
        assert check_decision(asking(), request).call_id == call_id
    else:
        with pytest.raises(DecisionNotAccepted, match=r"no call '3.2' waits"):
            check_decision(asking(), request)


@pytest.mark.parametrize(("digest", "fits"), [("asked 0", True), (None, True), ("planned 0", False), ("", False)])
def test_a_digest_is_that_of_the_arguments_that_were_asked_about(digest: str | None, fits: bool) -> None:
    if fits:
        assert accepted(asking(), "a", decision=Decision(approve=True, digest=digest)).approved
    else:
        with pytest.raises(DecisionNotAccepted, match=r"call 'a' of 'pay' has other arguments \(digest asked 0\)"):
            accepted(asking(), "a", decision=Decision(approve=True, digest=digest))
