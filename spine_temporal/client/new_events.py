"""The trace events that a follower of a run has not had yet."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from spine_core import EventType, TraceEvent

from spine_temporal.client.live_history import Reading
from spine_temporal.client.reading_along import Written


class NewEvents:
    """What is new to one follower in each reading; with tokens, each piece of a text once."""

    def __init__(self) -> None:
        self._last: Written | None = None
        self._begun: tuple[str, int] = ("", 0)
        """The step whose beginning was told before its end, and in how many events."""

    def of(self, reading: Reading, *, tokens: bool) -> Iterator[TraceEvent]:
        """The events of a reading.

        A token has the number of the event that follows it. One with `replaces` begins the text of its step anew: an
        attempt failed after it had written something.
        """
        if not tokens:
            yield from reading.traced
        elif reading.writing is not None:
            yield from self._writing(reading.writing)
        elif reading.written is not None:
            yield from self._written(reading.written, reading.traced)
        else:
            yield from reading.traced

    def _writing(self, writing: Written) -> Iterator[TraceEvent]:
        if self._begun[0] != writing.step_id:
            begun: list[tuple[str, dict[str, Any]]] = [(EventType.STEP_START, {})] if writing.first else []
            begun.append((EventType.MODEL_CALL, {"messages": writing.asked}))
            self._begun = writing.step_id, len(begun)
            for at, (type_, data) in enumerate(begun):
                yield TraceEvent(seq=writing.seq + at, type=type_, step=writing.step, data=data)
        yield from self._tokens(writing, writing.seq + self._begun[1], time.time())

    def _written(self, written: Written, traced: Sequence[TraceEvent]) -> Iterator[TraceEvent]:
        told = self._begun[1] if self._begun[0] == written.step_id else 0
        for event in traced[told:]:
            if event.type == EventType.MODEL_RESPONSE and written.streamed:
                yield from self._tokens(written, event.seq, event.ts)
            yield event

    def _tokens(self, written: Written, seq: int, ts: float) -> Iterator[TraceEvent]:
        last, self._last = self._last, written
        data: dict[str, Any] = {"delta": written.text}
        if last is not None and last.step_id == written.step_id:
            if last.call_id == written.call_id and written.text.startswith(last.text):
                data["delta"] = written.text[len(last.text) :]
            elif last.text:
                data["replaces"] = True
        if data["delta"] or "replaces" in data:
            yield TraceEvent(seq=seq, type=EventType.TOKEN, step=written.step, ts=ts, data=data)
