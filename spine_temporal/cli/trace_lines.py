"""A run's trace events as the few lines that a person reads."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from spine_core import EventType, TraceEvent

from spine_temporal.format import call, first_line, one_line


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was done, in texts without a line break; `took_s` is None where nobody measured it."""

    step: int
    what: str
    outcome: str
    took_s: float | None = None
    bad: bool = False


@dataclass(frozen=True, slots=True)
class _ToolCall:
    """A tool call in flight."""

    tool: str
    text: str
    at_s: float


class TraceLines:
    """Given event by event, it makes a line of each that finishes something; `doing` says what is in flight."""

    def __init__(self) -> None:
        self.doing = "waiting for a worker"
        self._step_at_s = 0.0
        self._written = 0
        self._tools: list[_ToolCall] = []

    def add(self, event: TraceEvent) -> Line | None:
        """The line that `event` makes, if any."""
        match event.type:
            case EventType.STEP_START:
                self._step_at_s, self._written = event.ts, 0
                self.doing = f"step {event.step} · asking the model"
            case EventType.TOKEN:
                before = 0 if "replaces" in event.data else self._written
                self._written = before + len(str(event.data.get("delta", "")))
                self.doing = f"step {event.step} · {self._written:,} characters so far"
            case EventType.TOOL_CALL:
                self._tool_begun(event)
            case EventType.MODEL_RESPONSE:
                asked = _asked(event.data.get("tool_calls") or [])
                return Line(event.step, "model", asked, event.ts - self._step_at_s)
            case EventType.TOOL_RESULT:
                return self._tool_line(event)
            case _:
                return _error_line(event)
        return None

    def _tool_begun(self, event: TraceEvent) -> None:
        name = str(event.data.get("tool"))
        self._tools.append(_ToolCall(name, call(name, event.data.get("arguments") or {}), event.ts))
        self._show_tools(event.step)

    def _tool_line(self, event: TraceEvent) -> Line:
        name = str(event.data.get("tool"))
        first = next((each for each in self._tools if each.tool == name), None)
        if first is not None:
            self._tools.remove(first)
        begun = first or _ToolCall(name, one_line(name), event.ts)
        self._show_tools(event.step)
        error = event.data.get("error")
        outcome = first_line(str(event.data.get("result", "") if error is None else error))
        # Both at one moment: the call was kept back for a hook, and when it began is not known.
        took_s = event.ts - begun.at_s or None
        return Line(event.step, begun.text, outcome, took_s, bad=error is not None or _failed(outcome))

    def _show_tools(self, step: int) -> None:
        if self._tools:
            more = len(self._tools) - 1
            self.doing = f"step {step} · {self._tools[0].text}" + (f" and {more} more" if more else "")


def _error_line(event: TraceEvent) -> Line | None:
    match event.type:
        case EventType.ERROR:
            what = str(event.data.get("hook", "model"))
            outcome = f"{first_line(str(event.data.get('error', '')))} → {event.data.get('action', 'fail')}"
            return Line(event.step, what, outcome, bad=True)
        case EventType.GUARD_TRIP:
            return Line(event.step, "stopped", first_line(str(event.data.get("reason", ""))), bad=True)
        case EventType.INTERRUPT:
            return Line(event.step, "paused", "waits for a decision", bad=True)
    return None


def _asked(tools: list[Any]) -> str:
    counted = Counter(one_line(str(name)) for name in tools)
    names = [name if count == 1 else f"{name} ({count} times)" for name, count in counted.items()]
    return f"asks for {', '.join(names)}" if names else "answers"


def _failed(outcome: str) -> bool:
    # The kernel marks a tool's failure by nothing but how its text begins.
    return outcome.startswith("Error")
