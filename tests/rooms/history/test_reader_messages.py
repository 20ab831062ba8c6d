"""What people, other runs and the workflow itself add to a history, as entries of the journal."""

import pytest
from temporalio.api.history.v1 import HistoryEvent

from spine_temporal.contracts import names
from spine_temporal.contracts.approval import DecideRequest, Decision, DecisionReceipt
from spine_temporal.contracts.run_id import entry_id
from spine_temporal.contracts.status import ExpiryRecord, StatusRecord
from spine_temporal.contracts.step import StepOutcome
from spine_temporal.contracts.subagent import SubagentStatus
from spine_temporal.contracts.turn import StopRequest, TurnRequest, TurnTaken
from spine_temporal.history.event_reader import MissedItsBeginning
from spine_temporal.journal.entries import (
    ApprovalExpired,
    Decided,
    EndReportRequested,
    StatusChanged,
    StopRequested,
    SubagentStatusChanged,
    TurnQueued,
)
from tests.rooms.history.events import REQUEST, accepted, answered, completed, entries, memo, signaled

DECISION = DecideRequest(call="1.0", decision=Decision(approve=True, decided_by="anna"))
RECEIPT = DecisionReceipt(position="1.0", call_id="call_0", tool="pay", approved=True)
CHANGED = StatusRecord(agent="assistant", session_id="s1", number=3, at_s=5.0)
EXPIRED = ExpiryRecord(position="1.0", approved=False, timeout_s=60.0, at_s=5.0)
SUBAGENT = SubagentStatus(position="1.0", status="paused", number=2)


async def test_accepted_turn_is_queued_once_its_receipt_is_recorded() -> None:
    turn = accepted(names.TURN_UPDATE, TurnRequest(input="and now?"))

    read = await entries(turn, answered(TurnTaken(turn=2)))

    assert read == [None, TurnQueued(entry_id("u1"), "u1", "and now?", TurnTaken(turn=2))]


async def test_decision_counts_once_its_receipt_is_recorded() -> None:
    read = await entries(accepted(names.DECIDE_UPDATE, DECISION), answered(RECEIPT))

    assert read == [None, Decided(entry_id("u1"), "u1", RECEIPT, "anna", DECISION)]


async def test_refused_update_changes_nothing() -> None:
    assert await entries(accepted(names.DECIDE_UPDATE, DECISION), answered(None)) == [None, None]


async def test_published_status_is_a_change_of_it() -> None:
    assert await entries(memo(names.STATUS_MEMO, CHANGED)) == [StatusChanged(CHANGED)]


async def test_status_that_repeats_the_last_one_is_no_change() -> None:
    repeated = CHANGED.model_copy(update={"at_s": 0.0})

    assert await entries(memo(names.STATUS_MEMO, repeated)) == [None]


async def test_recorded_expiry_is_an_expired_approval() -> None:
    assert await entries(memo(names.EXPIRED_MEMO, EXPIRED)) == [ApprovalExpired(EXPIRED)]


async def test_memo_of_another_program_is_passed_over() -> None:
    assert await entries(memo("payroll", CHANGED)) == [None]


async def test_signals_are_numbered_in_the_order_in_which_they_came() -> None:
    signals = [
        signaled(names.STOP_SIGNAL),
        signaled(names.STOP_TURN_SIGNAL, StopRequest(turn=2)),
        signaled(names.CHILD_SIGNAL, SUBAGENT),
        signaled(names.REPORT_END_SIGNAL),
    ]

    assert await entries(*signals) == [
        StopRequested("signal 1"),
        StopRequested("signal 2", 2),
        SubagentStatusChanged("signal 3", SUBAGENT),
        EndReportRequested("signal 4"),
    ]


@pytest.mark.parametrize("event", [signaled("payroll"), signaled(names.STOP_TURN_SIGNAL, REQUEST)])
async def test_signal_that_no_run_understands_is_passed_over(event: HistoryEvent) -> None:
    assert await entries(event, signaled(names.STOP_SIGNAL)) == [None, StopRequested("signal 1")]


@pytest.mark.parametrize(
    "event", [completed(StepOutcome(id="a")), answered(RECEIPT), signaled(names.STOP_SIGNAL)], ids=str
)
async def test_reader_that_begins_midway_refuses_the_end_of_what_began_before(event: HistoryEvent) -> None:
    with pytest.raises(MissedItsBeginning):
        await entries(event, midway=True)
