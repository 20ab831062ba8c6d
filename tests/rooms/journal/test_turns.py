"""Turns: how one begins, is restored, pauses, is asked to stop."""

from dataclasses import replace

import pytest

from spine_temporal.contracts.continuation import CarryOver
from spine_temporal.contracts.run_id import Position
from spine_temporal.contracts.subagent import SubagentOutcome
from spine_temporal.contracts.team import TeamPlan
from spine_temporal.contracts.turn import QueuedTurn
from spine_temporal.journal.counters import paused_ending
from spine_temporal.journal.entries import (
    ConversationRestored,
    Entry,
    StopRequested,
    SubagentStarted,
)
from spine_temporal.journal.progress import Progress, apply
from spine_temporal.journal.snapshot import dump_carried
from tests.rooms.journal.entries import (
    COST,
    FINAL,
    begun,
    calling,
    opened,
    progress_of,
    requested,
    status_changed,
    step_done,
    subagent_status,
    tool_asked,
    tool_begun,
    turn_queued,
)

PAY: list[Entry] = [step_done(1, calling("pay")), tool_begun(0), tool_asked(0)]


@pytest.mark.parametrize("same", [True, False])
def test_conversation_that_was_nowhere_changes_nothing(same: bool) -> None:
    before = progress_of(*begun())

    after = apply(before, ConversationRestored("restore", None, same=same))

    assert replace(after, revision=before.revision) == before


def test_restored_conversation_goes_on_with_its_counters_in_a_turn_of_its_own() -> None:
    before = Progress(step=7, usage=COST, last_text="then", turn=3, status_number=9, depth=4, ending=FINAL)

    progress = progress_of(*begun(), turn_queued(2, "too"), ConversationRestored("restore", before))

    assert (progress.step, progress.usage, progress.last_text) == (7, COST, "then")
    assert (progress.turn, progress.last_turn, progress.status_number) == (3, 5, 9)
    assert (progress.depth, progress.ending) == (0, None)


def test_answer_of_a_member_that_ended_while_the_team_was_restored_stays() -> None:
    team = TeamPlan(kind="sequential", members={"0": "only"})
    before = progress_of(*begun(team=team), SubagentStarted(Position(1, 0), "a workflow"))
    carried = CarryOver(run_id="r1", turn_run_id="r1", progress=dump_carried(before))
    ended = subagent_status("1.0", 1, "idle", SubagentOutcome(answer="done", reason="final"))

    progress = progress_of(requested(carried=carried), ended, ConversationRestored("restore", before, same=True))

    assert (progress.answer, progress.over) == ("done", True)


def test_turn_begins_with_the_queue_behind_it_and_nothing_of_the_one_before() -> None:
    idle = progress_of(*begun(), *PAY, turn_queued(2, "a"), turn_queued(3, "b"), status_changed(1, "idle"))

    began = apply(idle, status_changed(2, "running", turn=2))

    assert (began.turn, began.last_turn, began.queue) == (2, 3, (QueuedTurn(turn=3, input="b"),))
    assert (began.calls, began.ending, began.hooks_started, began.idle_since_s) == (None, None, False, None)
    assert began.working_since_s == 102.0


def test_clock_of_a_turn_stops_while_people_are_waited_for() -> None:
    paused = progress_of(*begun(), status_changed(1, "paused", ending=paused_ending(), worked_s=4.0))
    assert (paused.elapsed_s(5000.0), paused.paused) == (4.0, True)

    again = apply(paused, status_changed(2, "running", worked_s=4.0, at_s=5000.0))
    assert (again.elapsed_s(5001.5), again.paused) == (5.5, False)


@pytest.mark.parametrize(
    ("entries", "requested_", "later"),
    [
        ([*begun(), StopRequested("s")], True, ()),
        ([*begun(), StopRequested("s", 1)], True, ()),
        ([*begun(), StopRequested("s", 2)], False, (2,)),
        ([*begun(), status_changed(1, "idle"), status_changed(2, "running", turn=2), StopRequested("s", 1)], False, ()),
        ([*begun(), turn_queued(2, "a"), StopRequested("s", 2)], False, (2,)),
        ([requested(), StopRequested("s", 1)], False, (1,)),
        ([requested(), StopRequested("s", 1), opened()], True, (1,)),
        ([*begun(), status_changed(1, "idle"), StopRequested("s"), turn_queued(2, "a")], False, ()),
        ([*begun(), status_changed(1, "idle"), StopRequested("s", 1), turn_queued(2, "a")], False, ()),
        ([*begun(), status_changed(1, "idle"), turn_queued(2, "a"), StopRequested("s", 1)], False, ()),
        ([*begun(), StopRequested("s"), turn_queued(2, "a")], True, ()),
        ([*begun(), StopRequested("s"), status_changed(1, "idle")], False, ()),
    ],
    ids=[
        "the turn in hand",
        "that turn by its number",
        "a turn that is accepted again after a reset, later than its stop",
        "a turn that is over",
        "a turn that waits",
        "a turn of a run that is not open yet",
        "that run is opened",
        "a turn was accepted after the session was asked to close",
        "a turn was accepted after the one before it was to end",
        "a turn was accepted before the one before it was to end",
        "a turn is queued behind the one that is to end",
        "the turn is over",
    ],
)
def test_stop_is_for_one_turn(entries: list[Entry], requested_: bool, later: tuple[int, ...]) -> None:
    progress = progress_of(*entries)

    assert (progress.stop_requested, progress.stopped_turns) == (requested_, later)


@pytest.mark.parametrize(("stopped", "requested_"), [(1, False), (4, False), (5, True)])
@pytest.mark.parametrize("late", [False, True], ids=["before it is opened", "while its conversation is fetched"])
def test_stop_of_a_turn_of_a_session_that_is_opened_again_is_for_that_turn(
    stopped: int, requested_: bool, late: bool
) -> None:
    stop = StopRequested("s", stopped)
    open_again = opened()._replace(restoring=True)
    restored = ConversationRestored("restore", Progress(turn=4, last_turn=4))
    entries: list[Entry] = [open_again, stop] if late else [stop, open_again]

    began = progress_of(requested(), *entries, restored, status_changed(1, "running", turn=5))

    assert (began.turn, began.stop_requested) == (5, requested_)


def test_stop_of_the_first_turn_counts_when_there_was_no_conversation_to_go_on_with() -> None:
    opening: list[Entry] = [requested(), StopRequested("s", 1), opened()._replace(restoring=True)]

    assert progress_of(*opening, ConversationRestored("restore", None)).stop_requested


def test_stopped_turn_is_to_end_as_soon_as_it_begins() -> None:
    idle: list[Entry] = [*begun(), turn_queued(2, "a"), StopRequested("s", 2), status_changed(1, "idle")]

    began = progress_of(*idle, status_changed(2, "running", turn=2))

    assert (began.stop_requested, began.stopped_turns) == (True, ())
