"""One JSON form for every wire model."""

import pytest
from pydantic import ValidationError
from spine_core import Guards, Message, StopReason, Usage

from spine_temporal.contracts.base import WireModel, dump, load, load_given, problem_in
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.contracts.run_end import Ending, RunOutcome
from spine_temporal.contracts.run_request import AgentSpec, RunRequest
from spine_temporal.contracts.state_delta import MessageSummary, StateDelta
from spine_temporal.contracts.step import StepOutcome, StepSummary
from spine_temporal.contracts.tool_call import ToolOutcome, ToolSummary
from spine_temporal.contracts.turn import StopRequest
from tests.rooms.contracts.golden import wire_models


@pytest.mark.parametrize(
    ("model", "written"),
    [
        (RunRequest(agent="assistant", input="go"), b'{"agent":"assistant","input":"go"}'),
        (
            AgentSpec(agent="assistant", guards=Guards()),
            b'{"agent":"assistant","guards":{"max_steps":12,"max_cost_usd":null,"max_tokens":null,"timeout_s":null,'
            b'"max_depth":8}}',
        ),
        (ActivityPolicy(), b"{}"),
        (StateDelta(), b"{}"),
        (StateDelta(usage=Usage(), usage_before=Usage()), b'{"usage":{},"usage_before":{}}'),
        (StateDelta(messages=[Message.user("hi")]), b'{"messages":[{"role":"user","content":"hi"}]}'),
        (StateDelta(fields={"tenant_id": None, "step": 0}), b'{"fields":{"tenant_id":null,"step":0}}'),
        (StepOutcome(id="a", last_text=""), b'{"id":"a","last_text":""}'),
        (ToolOutcome(id="a"), b'{"id":"a"}'),
        (RunOutcome(reason=StopReason.FINAL), b'{"reason":"final"}'),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, WireModel) else "",
)
def test_defaults_are_left_out_and_come_back(model: WireModel, written: bytes) -> None:
    assert dump(model) == written
    assert load(type(model), written) == model


@pytest.mark.parametrize(
    "model", [model for model in wire_models() if model.model_fields], ids=lambda model: model.__name__
)
def test_models_cannot_be_changed(model: type[WireModel]) -> None:
    instance = model.model_construct()

    with pytest.raises(ValidationError, match="frozen"):
        setattr(instance, next(iter(model.model_fields)), "changed")


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b'"go"', b"{}", b'{"agent":"","input":"go"}', b"\x00\xff"])
def test_what_is_no_such_model_is_refused(data: bytes) -> None:
    with pytest.raises(ValidationError):
        load(RunRequest, data)


STEP = StepOutcome(
    id="a",
    delta=StateDelta(messages=[Message.user("hi"), Message.tool("found", "call_0", "find")], scratch={"set": {"k": 1}}),
    usage=Usage(input_tokens=3),
    ending=Ending(reason=StopReason.FINAL),
    finish_reason="stop",
)


def test_workflow_reads_of_an_outcome_only_what_it_needs() -> None:
    summary = load(StepSummary, dump(STEP))

    assert summary.delta.messages == [
        MessageSummary(role="user", content="hi"),
        MessageSummary(role="tool", content="found"),
    ]
    assert (summary.id, summary.usage, summary.ending) == ("a", STEP.usage, STEP.ending)
    assert len(dump(summary)) < len(dump(STEP))


@pytest.mark.parametrize(("summary", "outcome"), [(StepSummary, StepOutcome), (ToolSummary, ToolOutcome)])
def test_workflow_knows_no_field_that_the_outcome_has_not(summary: type[WireModel], outcome: type[WireModel]) -> None:
    assert summary.model_fields.keys() <= outcome.model_fields.keys()


@pytest.mark.parametrize(
    "data", [b'{"turn": "hunter2"}', b'{"hunter2": 1', b'["hunter2"]'], ids=["type", "json", "list"]
)
def test_what_is_wrong_with_something_given_does_not_repeat_it(data: bytes) -> None:
    with pytest.raises(ValueError) as raised:
        load_given(StopRequest, data)

    assert "hunter2" not in problem_in(raised.value)
    assert "\n" not in problem_in(raised.value)
