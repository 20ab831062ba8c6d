"""The kernel's trace events, rebuilt from outcomes so that no text is stored twice."""

from dataclasses import dataclass, field
from typing import Any

from spine_core import EventType, State, ToolCall

from spine_temporal.contracts.run_end import Ending
from spine_temporal.contracts.step import StepOutcome
from spine_temporal.contracts.tool_call import ToolOutcome


@dataclass(frozen=True, slots=True)
class Event:
    """A `spine_core.TraceEvent` without its number and time, which whoever reads the history adds."""

    type: str
    step: int
    data: dict[str, Any] = field(default_factory=dict)


def step_start(step: int) -> Event:
    """A step begins."""
    return Event(EventType.STEP_START, step)


def stepped(outcome: StepOutcome, state: State) -> list[Event]:
    """What happened within a step; `state` is the one after it."""
    events: list[Event] = []
    step = state.step
    if outcome.called:
        asked = {"cached": True} if outcome.asked is None else {"messages": outcome.asked}
        events.append(Event(EventType.MODEL_CALL, step, asked))
    events += [
        Event(EventType.ERROR, step, {"error": failed.error, "action": failed.action}) for failed in outcome.errors
    ]
    if outcome.answered:
        data = {
            "tool_calls": [call.name for call in state.messages[-1].tool_calls],
            "cost_usd": state.usage.cost_usd,
            "tokens": state.usage.total_tokens,
        }
        events.append(Event(EventType.MODEL_RESPONSE, step, data))
    return events


def tool_call(step: int, name: str, arguments: dict[str, Any]) -> Event:
    """A tool starts."""
    return Event(EventType.TOOL_CALL, step, {"tool": name, "arguments": arguments})


def tool_done(step: int, call: ToolCall, outcome: ToolOutcome, *, announced: bool) -> list[Event]:
    """What happened within a tool call; `announced`: its start has been emitted already."""
    events: list[Event] = []
    # The kernel does not tell the start of a call that was approved; but of an edited one nobody knows the arguments.
    if outcome.called and not announced and (not outcome.decision or outcome.edited):
        arguments = call.arguments if outcome.arguments is None else outcome.arguments
        events.append(tool_call(step, call.name, arguments))
    if outcome.asks is not None or outcome.delegates is not None or outcome.decision == "answered":
        return events
    if outcome.decision == "rejected":
        events.append(Event(EventType.TOOL_RESULT, step, {"tool": call.name, "rejected": True}))
    elif not outcome.known:
        events.append(Event(EventType.TOOL_RESULT, step, {"tool": call.name, "error": "unknown_tool"}))
    elif outcome.ending is None:
        events.append(Event(EventType.TOOL_RESULT, step, {"tool": call.name, "result": outcome.content}))
    return events


def interrupt(step: int, mode: str, payload: Any) -> Event:
    """The run pauses."""
    return Event(EventType.INTERRUPT, step, {"mode": mode, "payload": payload})


def ended(ending: Ending, step: int) -> list[Event]:
    """The last event of a run."""
    if not ending.event:
        return []
    data = {"reason": ending.reason.value} if ending.event == EventType.GUARD_TRIP else {}
    return [Event(ending.event, step, data)]


def hook_error(state: State, error: str) -> Event:
    """A hook of `on_run_end` raised: the Result stands, the trace says so."""
    return Event(EventType.ERROR, state.step, {"error": error, "action": "ignored", "hook": "on_run_end"})
