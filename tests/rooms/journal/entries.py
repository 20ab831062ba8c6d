"""Entries of a small run, to be put together as a test needs them."""

from typing import Any

from spine_core import Guards, Message, ToolCall, Usage

from spine_temporal.contracts.approval import ApprovalRequest, DecideRequest, DecisionReceipt
from spine_temporal.contracts.run_end import AnswerFrom, Ending, EndInput, EndOutcome
from spine_temporal.contracts.run_request import AgentSpec, RunRequest
from spine_temporal.contracts.state_delta import StateDelta
from spine_temporal.contracts.status import ExpiryRecord, StatusRecord
from spine_temporal.contracts.step import PlannedCall, StepInput, StepOutcome
from spine_temporal.contracts.subagent import Delegation, SubagentOutcome, SubagentStatus
from spine_temporal.contracts.tool_call import ToolInput, ToolOutcome
from spine_temporal.contracts.turn import TurnTaken
from spine_temporal.journal import progress as reducer
from spine_temporal.journal.apply import apply
from spine_temporal.journal.entries import (
    ApprovalExpired,
    Decided,
    EndBegun,
    EndDone,
    Entry,
    Opened,
    Requested,
    StatusChanged,
    StepBegun,
    StepDone,
    SubagentStatusChanged,
    ToolBegun,
    ToolDone,
    TurnQueued,
)
from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.progress import Progress
from spine_temporal.journal.trace import Event

FINAL = Ending(reason="final", answer_from=AnswerFrom.LAST_MESSAGE, event="final")
COST = Usage(input_tokens=10, output_tokens=5)


def requested(input: str = "go", **request: Any) -> Requested:
    return Requested(RunRequest(**{"agent": "assistant", "input": input} | request), "s1")


def opened(**spec: Any) -> Opened:
    recorded = AgentSpec(**{"agent": "assistant", "guards": Guards(), **spec})
    return Opened("spec 1", recorded, 100.0, "go")


def begun(**spec: Any) -> list[Entry]:
    """A run that is about to take its first step."""
    return [requested(), opened(**spec)]


def calling(*names: str) -> Message:
    """A message of the model that calls these tools."""
    calls = [ToolCall(id=f"call_{n}", name=name, arguments={"n": n}) for n, name in enumerate(names)]
    return Message.assistant(None, calls)


def step_begun(step: int, *, first: bool = False) -> StepBegun:
    return StepBegun(StepInput(step=step, elapsed_s=0.0, first=first))


def step_done(step: int, message: Message, **outcome: Any) -> StepDone:
    """A step in which the model answered with `message`; the tools `pay...` are gated, `nowhere` is unknown."""
    calls = [
        PlannedCall(id=call.id, name=call.name, known=call.name != "nowhere", approve=call.name.startswith("pay"))
        for call in message.tool_calls
    ]
    given = {
        "id": f"step {step}",
        "delta": StateDelta(messages=[message]),
        "usage": COST,
        "calls": calls,
        "asked": 1,
        "answered": True,
    }
    return StepDone(StepOutcome(**(given | outcome)))


def tool_begun(index: int, step: int = 1, *, resumed: bool = False) -> ToolBegun:
    return ToolBegun(ToolInput(step=step, index=index, name="find", resumed=resumed))


def tool_done(index: int, content: str = "", step: int = 1, **outcome: Any) -> ToolDone:
    given = {"id": f"tool {step}.{index}", "content": content, "called": True}
    return ToolDone(step, index, ToolOutcome(**(given | outcome)))


def tool_asked(index: int, digest: str = "d", **request: Any) -> ToolDone:
    """The call waits for a person."""
    asks = ApprovalRequest(**{"digest": digest, "asked_s": 100.0} | request)
    return tool_done(index, id=f"asked {index}", called=asks.mode == "manual", asks=asks)


def tool_delegated(index: int, *, hooked: bool = False) -> ToolDone:
    """The call is another agent's to do."""
    given = Delegation(agent="helper", input="help", hooked=hooked)
    return tool_done(index, id=f"delegated {index}", delegates=given)


def decided(position: str, answer: str = "approve", digest: str = "d", id: str = "u1", **given: Any) -> Decided:
    receipt = DecisionReceipt(
        position=position,
        call_id="call_" + position.partition(".")[2],
        tool="pay",
        approved=answer == "approve",
        digest=digest,
    )
    return Decided(id, f"update {id}", receipt, request=DecideRequest(answer=answer), at_s=110.0, **given)


def expired(position: str, *, approved: bool = False, at_s: float = 160.0, error: str | None = None) -> ApprovalExpired:
    return ApprovalExpired(
        ExpiryRecord(position=position, approved=approved, timeout_s=60.0, at_s=at_s, error=error),
    )


def turn_queued(turn: int, input: str) -> TurnQueued:
    return TurnQueued(f"turn {turn}", f"update of turn {turn}", input, TurnTaken(turn=turn))


def status_changed(number: int, status: str, **record: Any) -> StatusChanged:
    given = {"agent": "assistant", "session_id": "s1", "status": status, "number": number, "at_s": 100.0 + number}
    return StatusChanged(StatusRecord(**(given | record)))


def subagent_status(position: str, number: int, status: str, outcome: SubagentOutcome | None = None) -> Entry:
    changed = SubagentStatus(position=position, status=status, number=number, interrupt={"n": number}, outcome=outcome)
    return SubagentStatusChanged(f"signal {number}", changed)


def end_begun(ending: Ending, **task: Any) -> EndBegun:
    return EndBegun(EndInput(ending=ending, **task))


def end_done(**outcome: Any) -> EndDone:
    return EndDone(EndOutcome(**{"id": "end"} | outcome))


def folded(*entries: Entry) -> tuple[Ledger, list[list[Event]]]:
    """The ledger after the entries, with the trace events of each."""
    ledger, trace = Ledger(), []
    for entry in entries:
        ledger, events = apply(ledger, entry)
        trace.append(events)
    return ledger, trace


def ledger_of(*entries: Entry) -> Ledger:
    """The ledger after the entries."""
    return folded(*entries)[0]


def progress_of(*entries: Entry) -> Progress:
    """The progress after the entries, as the workflow has it."""
    progress = Progress()
    for entry in entries:
        progress = reducer.apply(progress, entry)
    return progress
