"""Entries of a small run, to be put together as a test needs them."""

from typing import Any

from spine_core import Guards, Message, ToolCall, Usage

from spine_temporal.contracts.run_end import AnswerFrom, Ending, EndInput, EndOutcome
from spine_temporal.contracts.run_request import AgentSpec, RunRequest
from spine_temporal.contracts.state_delta import StateDelta
from spine_temporal.contracts.step import PlannedCall, StepInput, StepOutcome
from spine_temporal.contracts.tool_call import ToolInput, ToolOutcome
from spine_temporal.journal.apply import apply
from spine_temporal.journal.entries import (
    EndBegun,
    EndDone,
    Entry,
    Opened,
    Requested,
    StepBegun,
    StepDone,
    ToolBegun,
    ToolDone,
)
from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.trace import Event

FINAL = Ending(reason="final", answer_from=AnswerFrom.LAST_MESSAGE, event="final")
COST = Usage(input_tokens=10, output_tokens=5)


def requested(session_id: str = "s1") -> Entry:
    return Requested(RunRequest(agent="assistant", input="go"), session_id)


def opened(**spec: Any) -> Entry:
    recorded = AgentSpec(**{"agent": "assistant", "guards": Guards(), **spec})
    return Opened(RunRequest(agent="assistant", input="go"), "s1", recorded)


def step_begun(step: int, *, first: bool = False) -> Entry:
    return StepBegun(StepInput(agent="assistant", head="", step=step, elapsed_s=0.0, first=first))


def said(step: int, message: Message, *, fields: dict[str, Any] | None = None, **outcome: Any) -> Entry:
    """A step in which the model said `message`."""
    calls = [PlannedCall(id=call.id, name=call.name, known=call.name != "nowhere") for call in message.tool_calls]
    given = {
        "delta": StateDelta(messages=[message], fields={"step": step} | (fields or {})),
        "usage": COST,
        "calls": calls,
        "called": True,
        "asked": 1,
        "answered": True,
    }
    return StepDone(StepOutcome(id=f"step {step}", **(given | outcome)))


def asks(*names: str) -> Message:
    """The model's wish to call these tools."""
    return Message.assistant(
        None, [ToolCall(id=f"call_{n}", name=name, arguments={"n": n}) for n, name in enumerate(names)]
    )


def tool_begun(index: int, step: int = 1) -> Entry:
    return ToolBegun(ToolInput(agent="assistant", head="", step=step, index=index, name="find"))


def tool_done(index: int, content: str = "", **outcome: Any) -> Entry:
    return ToolDone(index, ToolOutcome(id=f"tool {index}", content=content, **({"called": True} | outcome)))


def end_begun(ending: Ending) -> Entry:
    return EndBegun(EndInput(agent="assistant", head="", ending=ending))


def end_done(**outcome: Any) -> Entry:
    return EndDone(EndOutcome(id="end", **outcome))


def told_by(*entries: Entry) -> tuple[Ledger, list[list[Event]]]:
    """The ledger after the entries, with what each of them told."""
    ledger, told = Ledger(), []
    for entry in entries:
        ledger, events = apply(ledger, entry)
        told.append(events)
    return ledger, told
