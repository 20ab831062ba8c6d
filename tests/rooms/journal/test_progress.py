"""What each kind of entry makes of the progress."""

from dataclasses import replace
from typing import Any

import pytest
from spine_core import Message, StopReason, Usage

from spine_temporal.contracts.approval import ApprovalPolicy
from spine_temporal.contracts.run_end import AnswerFrom, Ending
from spine_temporal.contracts.state_delta import StateDelta
from spine_temporal.journal.counters import failure, paused_ending, stopped_by_guard
from spine_temporal.journal.entries import (
    Closed,
    EndReportRequested,
    Entry,
    SpecRefreshed,
)
from spine_temporal.journal.progress import Progress, apply
from spine_temporal.journal.tool_calls import Phase
from tests.rooms.journal.entries import (
    COST,
    FINAL,
    begun,
    calling,
    decided,
    end_begun,
    end_done,
    expired,
    opened,
    progress_of,
    requested,
    step_begun,
    step_done,
    tool_asked,
    tool_begun,
    tool_done,
    turn_queued,
)

MESSAGES = [Message.user("q"), Message.assistant("first"), Message.tool("t", "call_0"), Message.assistant("")]
ASKING: list[Entry] = [step_done(1, calling("pay")), tool_begun(0), tool_asked(0)]


def phases(progress: Progress) -> list[Phase]:
    return [call.phase for call in progress.calls.items] if progress.calls is not None else []


def test_request_gives_what_the_run_begins_with() -> None:
    policy = ApprovalPolicy(timeout_s=5)

    progress = progress_of(requested(depth=2, stop=True, approval=policy))

    assert progress == Progress(depth=2, stop_requested=True, approval=policy)


def test_opened_run_knows_its_agent_without_the_prompt_and_its_clock_runs() -> None:
    progress = progress_of(requested(), opened(system="be brief"))

    assert progress.spec is not None
    assert (progress.spec.agent, progress.spec.system, progress.opened) == ("assistant", None, True)
    assert progress.elapsed_s(103.0) == 3.0


def test_refreshed_spec_takes_the_place_of_the_recorded_one() -> None:
    spec = opened(parallel_tools=True, system="be brief").spec

    progress = progress_of(*begun(), SpecRefreshed("spec 2", spec))

    assert progress.spec == spec.model_copy(update={"system": None})


def test_step_counts_and_plans_its_calls() -> None:
    progress = progress_of(*begun(parallel_tools=True), step_begun(1), step_done(1, calling("find", "find")))

    assert (progress.step, progress.usage, progress.hooks_started) == (1, COST, True)
    assert progress.calls is not None
    assert (progress.calls.step, progress.calls.parallel) == (1, True)
    assert phases(progress) == [Phase.PLANNED, Phase.PLANNED]


def test_next_step_leaves_no_call_of_the_one_before() -> None:
    entries: list[Entry] = [
        step_done(1, calling("find")),
        tool_begun(0),
        tool_done(0),
        step_done(2, Message.assistant("done")),
    ]

    assert progress_of(*begun(), *entries).calls is None


@pytest.mark.parametrize(
    ("outcome", "last_text"),
    [
        ({"delta": StateDelta(messages=MESSAGES)}, "first"),
        ({"delta": StateDelta(messages=[Message.user("q")])}, "before"),
        ({"delta": StateDelta(messages=MESSAGES), "last_text": "rewritten"}, "rewritten"),
        ({"delta": StateDelta(messages=MESSAGES), "last_text": ""}, None),
        ({"delta": StateDelta()}, "before"),
    ],
    ids=["its last text", "only others spoke", "given apart", "its text was removed", "nobody spoke"],
)
def test_last_text_of_the_model_is_kept(outcome: dict[str, Any], last_text: str | None) -> None:
    entry = step_done(1, Message.assistant(None), **outcome)

    assert apply(Progress(last_text="before"), entry).last_text == last_text


@pytest.mark.parametrize(
    ("where", "answer"),
    [(AnswerFrom.HERE, "here"), (AnswerFrom.LAST_TEXT, "first"), (AnswerFrom.LAST_MESSAGE, "")],
)
def test_answer_is_looked_up_where_the_ending_says(where: AnswerFrom, answer: str) -> None:
    ending = Ending(reason=StopReason.FINAL, answer="here", answer_from=where)

    progress = apply(Progress(), step_done(1, MESSAGES[-1], delta=StateDelta(messages=MESSAGES), ending=ending))

    assert (progress.ending, progress.answer) == (ending, answer)


def test_first_ending_of_the_calls_of_a_step_counts() -> None:
    entries: list[Entry] = [step_done(1, calling("find", "find")), tool_begun(0), tool_begun(1)]
    for index, answer in ((1, "second"), (0, "first")):
        entries.append(tool_done(index, ending=Ending(reason=StopReason.GUARDRAIL, answer=answer)))

    assert progress_of(*begun(parallel_tools=True), *entries).answer == "first"


def test_decision_is_kept_with_its_receipt_and_the_call_goes_on() -> None:
    progress = progress_of(*begun(), *ASKING, decided("1.0", decided_by="anna"))

    assert phases(progress) == [Phase.DECIDED]
    assert progress.calls is not None
    assert progress.calls.items[0].settled == "approved by anna"
    assert progress.receipts["update u1"]["call_id"] == "call_0"


def test_late_decision_keeps_its_receipt_and_changes_nothing_else() -> None:
    before = progress_of(*begun(), *ASKING, expired("1.0"))

    late = apply(before, decided("1.0"))

    assert late.revision != before.revision
    assert replace(late, revision=before.revision, receipts={}) == before
    assert "update u1" in late.receipts


def test_late_expiry_changes_nothing_but_the_revision() -> None:
    before = progress_of(*begun(), *ASKING, decided("1.0"))

    late = apply(before, expired("1.0", error="nobody decided"))

    assert late.revision != before.revision
    assert replace(late, revision=before.revision) == before


@pytest.mark.parametrize(("error", "failed"), [(None, None), ("nobody decided", failure("nobody decided"))])
def test_expiry_decides_the_call_and_may_fail_the_turn(error: str | None, failed: Ending | None) -> None:
    progress = progress_of(*begun(), *ASKING, expired("1.0", error=error))

    assert (phases(progress), progress.failed) == ([Phase.DECIDED], failed)


def test_only_the_latest_receipts_are_kept() -> None:
    progress = progress_of(*(turn_queued(turn, "next") for turn in range(2, 402)))

    assert list(progress.receipts) == [f"update of turn {turn}" for turn in range(102, 402)]


def test_somebody_wants_to_be_sent_the_end() -> None:
    assert progress_of(*begun(), EndReportRequested("signal 1")).report_end


def test_hooks_at_the_end_may_rewrite_the_ending() -> None:
    ended = apply(Progress(last_text="so far"), end_begun(stopped_by_guard(StopReason.MAX_STEPS)))
    assert ended.answer == "so far"

    kept = apply(ended, end_done(delta=StateDelta(usage=Usage(input_tokens=3))))
    rewritten = apply(ended, end_done(ending=Ending(reason=StopReason.FINAL, answer="rewritten")))

    assert (kept.answer, kept.usage.input_tokens) == ("so far", 3)
    assert (rewritten.answer, rewritten.ending) == ("rewritten", Ending(reason=StopReason.FINAL, answer="rewritten"))


def test_hooks_at_a_pause_rewrite_its_answer_and_leave_it_a_pause() -> None:
    paused = progress_of(*begun(), *ASKING, end_begun(paused_ending(), at=0))

    rewritten = apply(paused, end_done(ending=Ending(reason=StopReason.INTERRUPT, answer="please look")))

    assert (rewritten.ending, rewritten.answer, rewritten.paused) == (paused_ending(), "please look", True)


@pytest.mark.parametrize("end", [Closed, end_begun], ids=["closed", "hooks at the end"])
def test_ended_turn_is_not_ended_again(end: Any) -> None:
    over = progress_of(*begun(), step_done(1, Message.assistant("done"), ending=FINAL))

    assert apply(over, end(failure("late"))).ending == FINAL


@pytest.mark.parametrize("entry", [tool_begun(0), tool_done(0), tool_done(1, step=2)])
def test_entry_of_no_call_in_hand_is_refused(entry: Entry) -> None:
    with pytest.raises(ValueError, match="belongs to no step in hand"):
        progress_of(*begun(), entry)
