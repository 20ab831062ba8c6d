"""The trace events that a follower of a run has not had yet."""

import sys
import time
from collections.abc import Iterator
from typing import Final

from spine_core import EventType, TraceEvent

from spine_temporal.client.live_history import Reading
from spine_temporal.client.reading_along import MODEL_CALL_NUMBER, Identified, Written
from spine_temporal.history.event_id import EventId, Order

_ALL: Final[Order] = (sys.maxsize,)


class NewEvents:
    """What is new to one follower in each reading: what comes behind `after`; with `tokens`, each piece of a text once.

    Where `after` is in none of the histories that are read (what it was the id of was taken back by a reset, or is of
    an earlier turn), all is new.
    """

    def __init__(self, *, tokens: bool, after: EventId | None = None) -> None:
        self._tokens = tokens
        self._after = after
        self._last_token = after
        self._highest: dict[str, Order] = {} if after is None else {after.execution: after.order}
        self._held: list[Identified] | None = None if after is None else []
        self._earlier: set[str] = set()
        """Where the events came into being that were read before those of the execution that `after` names."""
        self.passed = after is None
        """What `after` is the id of lies behind."""

    def of(self, reading: Reading, *, wanted: bool, present: bool) -> list[Identified]:
        """The new events of a reading, none if it is not one of those that are wanted.

        A token has the number of the event that follows it. One with `replaces` begins the text of its step anew: an
        attempt failed after it had written something.
        """
        self._look_for_after(reading)
        new = [each for each in self._events(reading) if self._mark(each[0])] if wanted else []
        if self._held is None:
            return new
        self._held += new
        return self.rest() if present else []

    def rest(self) -> list[Identified]:
        """What was held back because `after` was still to be found."""
        held, self._held, self.passed = self._held or [], None, True
        return held

    def _look_for_after(self, reading: Reading) -> None:
        after = self._after
        if after is None or self.passed:
            return
        if reading.branch == after.execution:
            if self._held is not None:
                self._held, self._last_token = None, after
                self._highest |= dict.fromkeys(self._earlier, _ALL)
            self.passed = reading.place[1] >= after.event
        elif self._held is not None:
            self._earlier.add(reading.branch)
        else:
            self.passed = True

    def _is_new(self, id: EventId) -> bool:
        # An execution that took another one's place by a reset begins with what the other one did.
        highest = self._highest.get(id.execution)
        return highest is None or id.order > highest

    def _mark(self, id: EventId) -> bool:
        """Whether it is new; by now it is not."""
        is_new = self._is_new(id)
        if is_new:
            self._highest[id.execution] = id.order
        return is_new

    def _events(self, reading: Reading) -> Iterator[Identified]:
        step = reading.writing or reading.written
        if not self._tokens or step is None:
            yield from reading.traced
        elif reading.writing is not None:
            yield from self._begun(step)
            yield from self._token(step, time.time())
        else:
            within = [each for each in reading.traced if each[0].event == step.scheduled]
            yield from within
            further = reading.traced[len(within) :]
            if step.streamed and further:
                yield from self._token(step, further[0][1].ts)
            yield from further

    def _begun(self, step: Written) -> Iterator[Identified]:
        if step.first:
            start = TraceEvent(seq=step.seq, type=EventType.STEP_START, step=step.step)
            yield EventId(step.began, step.scheduled), start
        asked = {"messages": step.asked}
        call = TraceEvent(seq=step.seq + step.first, type=EventType.MODEL_CALL, step=step.step, data=asked)
        yield EventId(step.began, step.scheduled, MODEL_CALL_NUMBER), call

    def _token(self, step: Written, ts: float) -> Iterator[Identified]:
        if not self._is_new(step.id):
            return
        last, delta, replaces = self._last_token, step.text, False
        if last is not None and last.written is not None and step.is_same_step(last):
            length = last.written[2]
            if step.is_same_call(last):
                delta = step.text[length:]
            else:
                replaces = length > 0
        if not delta and not replaces:
            return
        data = {"delta": delta, "replaces": True} if replaces else {"delta": delta}
        self._last_token = step.id
        seq = step.seq + step.first + 1
        yield step.id, TraceEvent(seq=seq, type=EventType.TOKEN, step=step.step, ts=ts, data=data)
