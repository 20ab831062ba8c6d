"""The workflow and the fold make the same progress of the same entries, in one execution or in several."""

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from spine_temporal.contracts.base import dump, load
from spine_temporal.contracts.continuation import CarryOver
from spine_temporal.contracts.run_request import RunRequest
from spine_temporal.journal import apply as ledgers
from spine_temporal.journal import progress as reducer
from spine_temporal.journal.entries import (
    Closed,
    ConversationRestored,
    EndReportRequested,
    Entry,
    Requested,
    StepBegun,
    StopRequested,
    SubagentStatusChanged,
    ToolBegun,
)
from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.progress import Progress
from spine_temporal.journal.snapshot import dump_carried, dump_ledger, dump_progress, load_ledger, load_progress
from spine_temporal.journal.tool_calls import Phase
from tests.rooms.journal.journals import as_the_workflow_reads, journals

QUICK = settings(max_examples=80, deadline=None, derandomize=True)
SIGNALS = (StopRequested, EndReportRequested, SubagentStatusChanged)
NOT_FACTS = (Requested, StepBegun, ToolBegun, Closed)


def of_the_workflow(journal: list[Entry]) -> Progress:
    progress = Progress()
    for entry in journal:
        progress = reducer.apply(progress, as_the_workflow_reads(entry))
    return progress


def of_the_fold(journal: list[Entry], ledger: Ledger | None = None) -> Ledger:
    ledger = ledger or Ledger()
    for entry in journal:
        ledger, _ = ledgers.apply(ledger, entry)
    return ledger


@QUICK
@given(journal=journals())
def test_workflow_and_fold_have_the_same_progress(journal: list[Entry]) -> None:
    assert of_the_workflow(journal) == of_the_fold(journal).progress


@QUICK
@given(journal=journals())
def test_every_fact_moves_the_revision_and_nothing_else_does(journal: list[Entry]) -> None:
    progress, revisions = Progress(), [""]
    for entry in journal:
        progress = reducer.apply(progress, entry)
        if isinstance(entry, NOT_FACTS):
            assert progress.revision == revisions[-1]
        else:
            assert progress.revision not in revisions
            revisions.append(progress.revision)


@QUICK
@given(journal=journals(team=False))
def test_counters_of_the_workflow_are_those_of_the_state(journal: list[Entry]) -> None:
    ledger = of_the_fold(journal)
    progress, state = ledger.progress, ledger.state

    assert (progress.step, progress.depth, progress.usage) == (state.step, state.depth, state.usage)
    assert len(ledger.calls) == (len(progress.calls.items) if progress.calls is not None else 0)


@QUICK
@given(journal=journals(team=False))
def test_each_call_has_one_result_in_the_conversation_once_it_has_entered(journal: list[Entry]) -> None:
    ledger = of_the_fold(journal)
    calls, messages = ledger.progress.calls, ledger.state.messages
    if calls is None or ledger.progress.ending is not None:
        return

    asked = next(at for at in reversed(range(len(messages))) if messages[at].tool_calls)
    results = [message.tool_call_id for message in messages[asked + 1 :] if message.role == "tool"]
    entered = [call.planned.id for call in calls.items if call.phase is Phase.ENTERED]

    assert results == entered


@QUICK
@given(journal=journals())
def test_entries_change_nothing_in_place(journal: list[Entry]) -> None:
    ledger = Ledger()
    for entry in journal:
        was = dump_ledger(ledger)
        ledgers.apply(ledger, entry)
        assert dump_ledger(ledger) == was
        ledger, _ = ledgers.apply(ledger, entry)


@QUICK
@given(journal=journals())
def test_progress_is_the_same_after_it_was_written_and_read(journal: list[Entry]) -> None:
    ledger = of_the_fold(journal)

    assert load_progress(through_json(dump_progress(ledger.progress))) == ledger.progress
    assert load_ledger(dump_ledger(ledger)) == ledger


@QUICK
@given(journal=journals(), at=st.integers(2, 27))
def test_run_that_continues_as_new_goes_on_as_one_that_does_not(journal: list[Entry], at: int) -> None:
    """At any entry, though a workflow does it only when nothing is in flight."""
    before, after = journal[:at], journal[at:]
    one = of_the_fold(before)
    request = continued(of_the_workflow(before))
    restored = ConversationRestored("restore", progress_of(one), same=True, ledger=load_ledger(dump_ledger(one)))

    next_ = of_the_fold([request, restored])

    assert without_answer(replace(next_.progress, revision=one.progress.revision)) == without_answer(one.progress)
    assert replace(next_, progress=one.progress) == one
    workflow = of_the_workflow([request, restored._replace(ledger=None), *after])
    assert workflow == of_the_fold(after, next_).progress


@QUICK
@given(journal=journals(), at=st.integers(2, 27), early=st.integers(0, 5))
def test_what_comes_while_a_run_is_restored_is_the_same_for_workflow_and_fold(
    journal: list[Entry], at: int, early: int
) -> None:
    one = of_the_fold(journal[:at])
    meanwhile: list[Entry] = [entry for entry in journal[at : at + early] if isinstance(entry, SIGNALS)]
    restored = ConversationRestored("restore", progress_of(one), same=True, ledger=one)
    request = continued(one.progress)

    workflow = of_the_workflow([request, *meanwhile, restored._replace(ledger=None)])
    ledger = of_the_fold([request, *meanwhile, restored])

    assert workflow == ledger.progress
    # The conversation is what it would be had nothing been restored.
    assert replace(ledger, progress=one.progress) == replace(of_the_fold(meanwhile, one), progress=one.progress)


def through_json(data: dict[str, object]) -> dict[str, object]:
    loaded: dict[str, object] = json.loads(json.dumps(data))
    return loaded


def progress_of(ledger: Ledger) -> Progress:
    return load_progress(through_json(dump_progress(ledger.progress)))


def continued(progress: Progress) -> Requested:
    """What the next execution is started with."""
    carried = CarryOver(run_id="r1", turn_run_id="r1", progress=dump_carried(progress))
    request = RunRequest(agent="assistant", session_id="s1", carried=carried)
    return Requested(load(RunRequest, dump(request)), "s1")


def without_answer(progress: Progress) -> Progress:
    """The ending's own copy of the answer is left behind: `progress.answer` has it."""
    ending = progress.ending
    return replace(progress, ending=None if ending is None else ending.model_copy(update={"answer": None}))
