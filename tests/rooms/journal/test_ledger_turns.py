"""Turns in the ledger: how one begins, what an unfinished one leaves behind, what is restored."""

import pytest
from spine_core import Message, RunStatus, StopReason

from spine_temporal.contracts.continuation import CarryOver, RestorePoint
from spine_temporal.contracts.run_id import Position
from spine_temporal.contracts.subagent import SubagentOutcome
from spine_temporal.contracts.team import TeamPlan
from spine_temporal.journal.counters import stopped_by_guard
from spine_temporal.journal.entries import (
    Closed,
    ConversationRestored,
    Entry,
    SpecRefreshed,
    SubagentDone,
    SubagentStarted,
)
from spine_temporal.journal.ledger import Member, VersionChange, subagents_of
from spine_temporal.journal.snapshot import dump_carried
from spine_temporal.journal.trace import Event
from tests.rooms.journal.entries import (
    COST,
    FINAL,
    begun,
    calling,
    folded,
    ledger_of,
    opened,
    requested,
    status_changed,
    step_done,
    subagent_status,
    tool_asked,
    tool_begun,
    tool_delegated,
    tool_done,
    turn_queued,
)

ANSWERED: list[Entry] = [*begun(), step_done(1, Message.assistant("done"), ending=FINAL), status_changed(1, "idle")]
NEXT: list[Entry] = [turn_queued(2, "and then?"), status_changed(2, "running", turn=2)]
DELEGATED: list[Entry] = [*begun(), step_done(1, calling("ask")), tool_begun(0), tool_delegated(0)]


def test_next_turn_begins_with_what_was_queued_for_it() -> None:
    ledger = ledger_of(*ANSWERED, *NEXT)

    assert [message.content for message in ledger.state.messages] == ["go", "done", "and then?"]
    assert (ledger.state.status, ledger.segment) == (RunStatus.RUNNING, 1)


HAD_BEGUN = "Tool 'find' had begun when the turn was ended."
NOT_RUN = "Tool 'find' was not run: the turn was over before it."


@pytest.mark.parametrize(
    ("parallel", "entries", "contents"),
    [
        (False, [], [NOT_RUN, NOT_RUN]),
        (False, [tool_begun(0)], [HAD_BEGUN, NOT_RUN]),
        (False, [tool_begun(0), tool_done(0, "a")], ["a", NOT_RUN]),
        (True, [tool_begun(0), tool_begun(1), tool_done(1, "b")], [HAD_BEGUN, "b"]),
        (False, [tool_begun(0), tool_asked(0, mode="manual")], [HAD_BEGUN, NOT_RUN]),
        (False, [tool_begun(0), tool_delegated(0)], [HAD_BEGUN, NOT_RUN]),
    ],
    ids=["none begun", "one begun", "one done", "side by side", "one had a question", "one with another agent"],
)
def test_turn_that_was_stopped_leaves_a_result_for_every_call(
    parallel: bool, entries: list[Entry], contents: list[str]
) -> None:
    stopped = status_changed(1, "idle", ending=stopped_by_guard(StopReason.CANCELLED))

    ledger = ledger_of(*begun(parallel_tools=parallel), step_done(1, calling("find", "find")), *entries, stopped, *NEXT)

    results = [message for message in ledger.state.messages if message.role == "tool"]
    assert [message.tool_call_id for message in results] == ["call_0", "call_1"]
    for message, content in zip(results, contents, strict=True):
        assert (message.content or "").startswith(content)


def test_gated_call_that_nobody_approved_was_not_run() -> None:
    asked: list[Entry] = [*begun(), step_done(1, calling("pay")), tool_begun(0), tool_asked(0)]
    stopped = status_changed(1, "idle", ending=stopped_by_guard(StopReason.CANCELLED))

    ledger = ledger_of(*asked, stopped, *NEXT)

    assert ledger.state.messages[-2].content == "Tool 'pay' was not run: the turn was over before it."


def test_execution_that_continues_another_one_has_its_conversation() -> None:
    before = ledger_of(*begun(), step_done(1, calling("find")))
    carried = CarryOver(run_id="r1", turn_run_id="r1", progress=dump_carried(before.progress))
    restored = ConversationRestored("restore", before.progress, same=True, ledger=before)

    ledger = ledger_of(requested(carried=carried, session_id="s1"), restored)

    assert (ledger.state, ledger.calls, ledger.restored) == (before.state, before.calls, True)


def test_answer_is_known_when_the_execution_that_was_to_end_the_turn_is_cancelled_before_it_has_the_conversation() -> (
    None
):
    done = [*begun(), step_done(1, Message.assistant("done"), ending=FINAL)]
    carried = CarryOver(run_id="r1", turn_run_id="r1", progress=dump_carried(ledger_of(*done).progress))

    ledger = ledger_of(
        *done, requested(carried=carried, session_id="s1"), Closed(stopped_by_guard(StopReason.CANCELLED))
    )

    assert (ledger.progress.ending, ledger.progress.answer) == (FINAL, "done")


def test_session_that_is_opened_again_goes_on_with_the_conversation_it_had() -> None:
    before = ledger_of(*ANSWERED)
    origin = RestorePoint(workflow_id="spine-s1", run_id="r1")
    restored = ConversationRestored("restore", before.progress, ledger=before)

    entries: list[Entry] = [requested("again", origin=origin), opened(), restored, status_changed(2, "running", turn=2)]
    ledger = ledger_of(*entries)

    assert [message.content for message in ledger.state.messages] == ["go", "done", "again"]
    assert (ledger.state.usage, ledger.progress.usage) == (COST, COST)
    assert not ledger_of(*entries[:2]).restored


def test_change_of_versions_is_on_record_with_its_step() -> None:
    spec = opened(plugins={"spinekit": "0.4"}).spec

    ledger = ledger_of(
        *begun(plugins={"spinekit": "0.3"}), step_done(1, calling("find")), SpecRefreshed("spec 2", spec)
    )

    assert ledger.opened_with == {"spinekit": "0.3"}
    assert (ledger.plugins, ledger.version_changes) == (spec.plugins, (VersionChange(1, {"spinekit": "0.4"}),))


@pytest.mark.parametrize(
    ("end", "content"),
    [
        (SubagentOutcome(answer="helped", reason="final", usage=COST), "helped"),
        (SubagentOutcome(reason="max_steps", usage=COST), "[sub-agent stopped: max_steps]"),
        (SubagentOutcome(error="Terminated", usage=COST), "Error executing tool 'ask': Terminated"),
    ],
    ids=["answered", "stopped", "lost"],
)
@pytest.mark.parametrize("by_signal", [False, True], ids=["child's end", "signal"])
def test_end_of_a_subagent_is_the_result_of_the_call(end: SubagentOutcome, content: str, by_signal: bool) -> None:
    done = subagent_status("1.0", 9, "idle", end) if by_signal else SubagentDone(Position(1, 0), end)

    ledger, trace = folded(*DELEGATED, done, done)

    assert ledger.state.messages[-1] == Message.tool(content, "call_0", "ask")
    assert ledger.state.usage == ledger.progress.usage == COST + COST
    assert trace[-2:] == [[Event("tool_result", 1, {"tool": "ask", "result": content})], []]


@pytest.mark.parametrize("by_signal", [False, True], ids=["child's end", "signal"])
def test_end_of_a_subagent_changes_nothing_of_a_turn_that_is_over(by_signal: bool) -> None:
    end = SubagentOutcome(answer="helped", reason="final", usage=COST)
    done = subagent_status("1.0", 9, "idle", end) if by_signal else SubagentDone(Position(1, 0), end)
    over = [*DELEGATED, status_changed(1, "idle", ending=stopped_by_guard(StopReason.CANCELLED))]

    ledger, trace = folded(*over, done)

    assert ledger.state == ledger_of(*over).state
    assert (ledger.progress.usage, trace[-1]) == (COST, [])


def test_subagent_is_known_with_what_it_was_given_and_how_it_is() -> None:
    started = SubagentStarted(Position(1, 0), "spine-s1/1.0")

    late = subagent_status("1.0", 1, "running")
    (found,) = subagents_of(ledger_of(*DELEGATED, started, subagent_status("1.0", 2, "paused"), late))

    assert (found.workflow_id, found.agent, found.input) == ("spine-s1/1.0", "helper", "help")
    assert (found.status, found.number, found.interrupt) == ("paused", 2, {"n": 2})


def test_members_of_a_team_work_one_after_another() -> None:
    team = TeamPlan(kind="sequential", members={"0": "first", "1": "second"})
    first, second = SubagentStarted(Position(1, 0), "w1"), SubagentStarted(Position(2, 0), "w2")
    done = SubagentDone(Position(1, 0), SubagentOutcome(reason="final"))

    ledger = ledger_of(*begun(team=team), first, done, second)

    assert ledger.members == (Member(1, "first", "w1"), Member(2, "second", "w2"))
    assert [found.status for found in subagents_of(ledger)] == ["over", "running"]
