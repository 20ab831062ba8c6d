"""Which decisions are taken."""

from dataclasses import replace
from typing import Any

import pytest
from spine_core import StopReason

from spine_temporal.contracts.approval import ApprovalRequestSummary, DecideRequest, Decision, DecisionReceipt
from spine_temporal.contracts.step import PlannedCall
from spine_temporal.contracts.tool_call import ToolSummary
from spine_temporal.journal.approvals import Refused, judged, says_yes
from spine_temporal.journal.batch import Batch, Verdict
from spine_temporal.journal.progress import Progress, concluded, pause, trip

NAMES = ("pay", "add", "pay", "ask")


def asking(*, ids: tuple[str, ...] = ("a", "b", "c", "d")) -> Progress:
    """A run in step 3 whose first call asks; the last is no gated one."""
    calls = [
        PlannedCall(id=id_, name=name, approve=name == "pay", digest=f"planned {at}")
        for at, (id_, name) in enumerate(zip(ids, NAMES, strict=True))
    ]
    batch = Batch(tuple(calls), parallel=False).with_outcome(
        0, ToolSummary(id="t", asks=ApprovalRequestSummary(digest="asked 0"))
    )
    return Progress(step=3, batch=batch)


def taken(progress: Progress, call: str | None, **request: Any) -> DecisionReceipt:
    return judged(progress, DecideRequest(call=call, **request), "u")[2]


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
    decided = taken(asking(), call, answer="ok")

    assert (decided.position, decided.approved, decided.digest) == (position, True, digest)


def test_of_two_calls_with_one_id_the_position_tells_which() -> None:
    progress = asking(ids=("x", "x", "x", "x"))

    with pytest.raises(
        Refused, match=r"2 calls have the id 'x'; name one by its position: 'x' \(3.0, pay\), 'x' \(3.2"
    ):
        taken(progress, "x", answer=True)
    assert taken(progress, "3.2", answer=True).position == "3.2"


def test_an_id_that_looks_like_a_position_goes_behind_the_position() -> None:
    progress = asking(ids=("3.2", "b", "3.0", "d"))

    assert taken(progress, "3.2", answer=True).call_id == "3.0"


@pytest.mark.parametrize("call", ["b", "d", "3.1", "3.3", "3.7", "2.0", "", "nonsense"])
def test_a_call_that_does_not_wait_is_refused(call: str) -> None:
    with pytest.raises(Refused, match=rf"no call '{call}' waits for a decision; waiting: 'a' \(3.0, pay\), 'c' \(3.2"):
        taken(asking(), call, answer=True)


def test_a_call_that_was_decided_is_refused_and_told_how() -> None:
    progress = asking()
    assert progress.batch is not None
    decided = progress.with_batch(progress.batch.with_verdict(0, Verdict("u", True, "asked 0"), "approved by anna"))

    for call in ("a", "3.0"):
        with pytest.raises(
            Refused, match=r"waits for a decision: call 'a' of 'pay' was approved by anna; waiting: 'c'"
        ):
            taken(decided, call, answer=True)
    # The same place in another step is another call.
    with pytest.raises(Refused, match=r"no call '2.0' waits for a decision; waiting"):
        taken(decided, "2.0", answer=True)
    assert taken(decided, None, answer=True).call_id == "c"


def test_a_paused_run_takes_a_decision_and_one_that_is_over_takes_none() -> None:
    assert taken(concluded(asking(), pause()), None, answer=False).approved is False
    with pytest.raises(Refused, match="nothing waits for a decision"):
        taken(concluded(asking(), trip(StopReason.CANCELLED)), None, answer=True)
    with pytest.raises(Refused, match="nothing waits for a decision"):
        taken(replace(asking(), batch=None), None, answer=True)


def test_a_question_is_answered_whatever_is_said() -> None:
    progress = asking()
    assert progress.batch is not None
    asked = ToolSummary(id="t", asks=ApprovalRequestSummary(mode="manual", digest="asked 0"))
    manual = progress.with_batch(progress.batch.with_outcome(0, asked))

    assert taken(manual, "a", answer="no").approved
    with pytest.raises(Refused, match="has asked a question while it ran"):
        taken(manual, "a", decision=Decision(arguments={}))


@pytest.mark.parametrize(("digest", "fits"), [("asked 0", True), (None, True), ("planned 0", False), ("", False)])
def test_a_digest_is_that_of_the_arguments_that_were_asked_about(digest: str | None, fits: bool) -> None:
    if fits:
        assert taken(asking(), "a", decision=Decision(digest=digest)).approved
    else:
        with pytest.raises(Refused, match=r"call 'a' of 'pay' has other arguments \(digest asked 0\)"):
            taken(asking(), "a", decision=Decision(digest=digest))
