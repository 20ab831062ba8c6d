"""What one execution hands to the next is what it knew."""

from typing import Any

import pytest

from spine_temporal.contracts.approval import ApprovalPolicy, DecideRequest, Decision
from spine_temporal.contracts.run_request import RunRequest
from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.snapshot import dump_ledger, load_ledger


@pytest.mark.parametrize(
    "request_",
    [
        DecideRequest(call="1.0", decision=Decision(approve=True)),
        DecideRequest(call="1.0", decision=Decision(approve=False, reason=None)),
        DecideRequest(call="1.0", decision=Decision(value=None)),
        DecideRequest(call="1.0", decision=Decision(arguments={})),
        DecideRequest(call="1.0", answer=None),
        DecideRequest(answer=False),
    ],
    ids=str,
)
def test_a_decision_that_is_not_carried_out_yet_is_the_same_in_the_next_execution(request_: DecideRequest) -> None:
    ledger = Ledger(requests={"one": request_})

    loaded = load_ledger(dump_ledger(ledger)).requests["one"]

    assert loaded == request_
    assert (
        loaded.decision is None
        or request_.decision is None
        or loaded.decision.has_value is (request_.decision.has_value)
    )


@pytest.mark.parametrize("given", [{}, {"timeout_s": 3.0}, {"timeout_s": None, "on_timeout": "reject"}])
def test_what_was_given_stands_in_json_also_within_another_model(given: dict[str, Any]) -> None:
    request = RunRequest(agent="a", input="b", approval=ApprovalPolicy(**given))

    written = request.model_dump(mode="json", exclude_defaults=True)

    assert written.get("approval", {}) == given
