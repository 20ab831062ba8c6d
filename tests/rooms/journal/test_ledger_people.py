"""Decisions and pauses in the ledger: what waits, who decided, what the kernel's State has of it."""

from typing import Any

import pytest
from spine_core import Message, RunStatus, ToolCall

from spine_temporal.contracts.step import PlannedCall
from spine_temporal.journal.counters import paused_ending
from spine_temporal.journal.entries import Entry
from spine_temporal.journal.ledger import DecisionRecord
from spine_temporal.journal.pending import pending_calls
from spine_temporal.journal.result import result_of
from spine_temporal.journal.trace import Event
from tests.rooms.journal.entries import (
    begun,
    calling,
    decided,
    expired,
    folded,
    ledger_of,
    status_changed,
    step_done,
    tool_asked,
    tool_begun,
    tool_done,
)

PAYLOAD = {"tool": "pay", "arguments": {"n": 0}}
ASKED: list[Entry] = [
    *begun(),
    step_done(1, calling("pay", "find", "pay")),
    tool_begun(0),
    tool_asked(0, arguments={"n": 0}, payload=PAYLOAD),
]
PAUSED: list[Entry] = [*ASKED, status_changed(1, "paused", ending=paused_ending(), at=0)]
RESUMED: list[Entry] = [*PAUSED, decided("1.0"), status_changed(2, "running"), tool_begun(0, resumed=True)]


def test_calls_that_may_be_decided_are_pending_before_their_turn() -> None:
    asked, later = pending_calls(ledger_of(*PAUSED))

    assert (asked.position, asked.call_id, asked.digest, asked.asked_s) == ("1.0", "call_0", "d", 100.0)
    assert (asked.mode, asked.payload, asked.arguments) == ("approve", PAYLOAD, {"n": 0})
    assert (later.position, later.asked_s) == ("1.2", None)
    assert later.payload == {"tool": "pay", "arguments": {"n": 2}}


def test_decided_call_is_pending_no_more() -> None:
    assert [call.position for call in pending_calls(ledger_of(*PAUSED, decided("1.0")))] == ["1.2"]


@pytest.mark.parametrize(
    ("entry", "record"),
    [
        (decided("1.0"), {"decision": "approved", "at_s": 110.0}),
        (decided("1.0", "no"), {"decision": "rejected", "at_s": 110.0}),
        (expired("1.0"), {"decision": "expired", "at_s": 160.0, "reason": "nobody decided within 60 s"}),
    ],
    ids=["approved", "rejected", "expired"],
)
def test_decision_is_on_record(entry: Entry, record: dict[str, Any]) -> None:
    made = ledger_of(*PAUSED, entry).decisions

    assert made == (DecisionRecord(position="1.0", call_id="call_0", tool="pay", **record),)


def test_answer_to_a_question_of_a_tool_is_on_record_as_one() -> None:
    asked = [*begun(), step_done(1, calling("find")), tool_begun(0), tool_asked(0, mode="manual")]

    assert [made.decision for made in ledger_of(*asked, decided("1.0")).decisions] == ["answered"]


def test_decision_that_came_too_late_leaves_the_expiry_as_it_is() -> None:
    ledger = ledger_of(*PAUSED, expired("1.0"), decided("1.0"))

    assert ledger.progress.calls is not None
    assert ledger.progress.calls.items[0].settled == "left without a decision for 60 s"


def test_expiry_that_came_too_late_is_not_on_record() -> None:
    assert [made.decision for made in ledger_of(*PAUSED, decided("1.0"), expired("1.0")).decisions] == ["approved"]


def test_paused_run_looks_as_the_kernel_leaves_it() -> None:
    ledger, trace = folded(*PAUSED)
    state = ledger.state

    assert state.status is RunStatus.INTERRUPTED
    assert state.pending is not None
    assert (state.pending.call.id, state.pending.mode, state.pending.payload) == ("call_0", "approve", PAYLOAD)
    assert [call["id"] for call in state.scratch["deferred_calls"]] == ["call_1", "call_2"]
    assert trace[-1] == [Event("interrupt", 1, {"mode": "approve", "payload": PAYLOAD})]


def test_result_of_a_pause_has_the_question_and_the_token() -> None:
    result = result_of(ledger_of(*PAUSED), [])

    assert result.interrupted
    assert (result.resume_token, result.interrupt) == ("s1", PAYLOAD)


def test_resumed_run_keeps_its_deferred_calls_until_the_decided_one_has_its_result() -> None:
    resumed = ledger_of(*RESUMED).state
    assert (resumed.status, resumed.pending) == (RunStatus.RUNNING, None)
    assert "deferred_calls" in resumed.scratch

    ledger, trace = folded(*RESUMED, tool_done(0, "paid", decision="approved"))

    assert ledger.state.scratch == {}
    assert ledger.state.messages[-1] == Message.tool("paid", "call_0", "pay")
    assert trace[-1] == [Event("tool_result", 1, {"tool": "pay", "result": "paid"})]


def test_start_of_an_approved_call_is_traced_only_when_its_arguments_were_edited() -> None:
    done = tool_done(0, "paid", decision="approved", edited=True, arguments={"n": 9})

    _, trace = folded(*RESUMED, done)

    assert trace[-1][0] == Event("tool_call", 1, {"tool": "pay", "arguments": {"n": 9}})


def test_rejected_call_is_traced_as_the_kernel_traces_it() -> None:
    _, trace = folded(*RESUMED, tool_done(0, "rejected", decision="rejected", called=False))

    assert trace[-1] == [Event("tool_result", 1, {"tool": "pay", "rejected": True})]


def test_run_that_is_over_waits_for_nobody() -> None:
    call = ToolCall(id="call_0", name="pay")
    planned = PlannedCall(id="call_0", name="pay", approve=True)
    ledger = ledger_of(*begun(), step_done(1, Message.assistant(None, [call]), calls=[planned]))
    assert len(pending_calls(ledger)) == 1

    closed = ledger_of(*PAUSED, status_changed(2, "idle", ending={"reason": "cancelled"}))
    assert pending_calls(closed) == []
