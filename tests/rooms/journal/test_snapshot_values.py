"""A ledger as JSON gives back what it was made of, odd values included."""

import math

from spine_core import Message, Role, State, ToolCall, Usage

from spine_temporal.contracts.approval import DecideRequest, Decision
from spine_temporal.journal.counters import Progress
from spine_temporal.journal.ledger import CallContent, Ledger
from spine_temporal.journal.snapshot import dump_ledger, dump_progress, load_ledger, load_progress


class Signed(Message):
    signature: str = ""


class SignedCall(ToolCall):
    thought: str = ""


def test_decision_that_names_a_value_names_it_after_it_was_written() -> None:
    given = {
        "none": DecideRequest(call="1.0", decision=Decision(value=None)),
        "answer": DecideRequest(answer=None),
        "approve": DecideRequest(decision=Decision(approve=True)),
    }

    read = load_ledger(dump_ledger(Ledger(requests=given))).requests

    assert read == given
    assert [request.model_fields_set for request in read.values()] == [
        request.model_fields_set for request in given.values()
    ]
    assert read["none"].decision is not None
    assert read["none"].decision.has_value


def test_numbers_that_are_none_stay() -> None:
    usage = Usage(cost_usd=math.nan)
    state = State(session_id="s", usage=usage, scratch={"most": [math.inf, math.nan]})
    ledger = Ledger(progress=Progress(usage=usage), state=state)

    assert repr(load_ledger(dump_ledger(ledger))) == repr(ledger)
    assert repr(load_progress(dump_progress(ledger.progress))) == repr(ledger.progress)


def test_messages_and_calls_keep_their_classes() -> None:
    call = SignedCall(id="call_0", name="look", thought="hm")
    state = State(session_id="s", messages=[Signed(role=Role.ASSISTANT, tool_calls=[call], signature="mine")])
    ledger = Ledger(state=state, calls=(CallContent(call),))

    assert load_ledger(dump_ledger(ledger)) == ledger
