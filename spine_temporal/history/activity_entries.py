"""The entries that our activities are: some when they begin, most when they are done."""

import base64
import zlib
from collections.abc import Callable

from spine_temporal.contracts import names
from spine_temporal.contracts.base import load
from spine_temporal.contracts.continuation import Restored, RestoreInput
from spine_temporal.contracts.run_end import EndInput, EndOutcome
from spine_temporal.contracts.run_id import Position
from spine_temporal.contracts.step import StepInput, StepOutcome
from spine_temporal.contracts.subagent import SubagentLook, SubagentReport
from spine_temporal.contracts.tool_call import ToolInput, ToolOutcome
from spine_temporal.journal.entries import (
    ConversationRestored,
    EndBegun,
    EndDone,
    Entry,
    StepBegun,
    StepDone,
    SubagentDone,
    ToolBegun,
    ToolDone,
)
from spine_temporal.journal.snapshot import load_ledger

type _Done = Callable[[bytes], Entry | None]


class ActivityEntries:
    """The activities of one execution, by the events that scheduled them."""

    def __init__(self) -> None:
        self._running: dict[int, _Done] = {}
        self._parts: list[Restored] = []

    def begun(self, event_id: int, activity: str, data: bytes, began_s: float) -> Entry | None:
        """The entry that the beginning of an activity is."""
        entry, self._running[event_id] = self._read(activity, data, began_s)
        return entry

    def runs(self, event_id: int) -> bool:
        """Whether the activity's beginning was read, its end not yet."""
        return event_id in self._running

    def done(self, event_id: int, result: bytes) -> Entry | None:
        """The entry that its result is."""
        return self._running.pop(event_id)(result)

    def _read(self, activity: str, data: bytes, began_s: float) -> tuple[Entry | None, _Done]:
        match activity:
            case names.STEP_ACTIVITY:
                return StepBegun(load(StepInput, data)), lambda result: StepDone(load(StepOutcome, result))
            case names.TOOL_ACTIVITY:
                task = load(ToolInput, data)
                return ToolBegun(task, began_s), lambda result: ToolDone(
                    task.step, task.index, load(ToolOutcome, result)
                )
            case names.END_ACTIVITY:
                return EndBegun(load(EndInput, data)), lambda result: EndDone(load(EndOutcome, result))
            case names.RESTORE_ACTIVITY:
                same = load(RestoreInput, data).same
                return None, lambda result: self._restored(load(Restored, result), same=same)
            case names.SUBAGENT_ACTIVITY:
                look = load(SubagentLook, data)
                return None, lambda result: _subagent_found(look, load(SubagentReport, result))
        return None, lambda _: None

    def _restored(self, part: Restored, *, same: bool) -> Entry | None:
        if part.changed:
            self._parts = []
            return None
        self._parts.append(part)
        first = self._parts[0]
        if len(self._parts) < first.parts:
            return None
        pieces, self._parts = self._parts, []
        if first.progress is None:
            return ConversationRestored(first.id, None, same=same)
        data = b"".join(_piece(each) for each in pieces)
        ledger = load_ledger(data)
        return ConversationRestored(first.id, ledger.progress, same=same, ledger=ledger)


def _piece(part: Restored) -> bytes:
    return zlib.decompress(base64.b64decode(part.ledger)) if part.packed else part.ledger.encode()


def _subagent_found(look: SubagentLook, report: SubagentReport) -> Entry | None:
    position = Position.parse(look.position)
    return SubagentDone(position, report.outcome) if position is not None and report.outcome is not None else None
