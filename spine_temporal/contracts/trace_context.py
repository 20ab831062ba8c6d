"""Where a span belongs: ids that every process derives alike from the run's history."""

from hashlib import sha256
from typing import Final, NamedTuple, Self

_VERSION: Final = "00"
_TRACE_DIGITS: Final = 32
_SPAN_DIGITS: Final = 16
_FLAGS_DIGITS: Final = 2
_SAMPLED: Final = 1


class TraceContext(NamedTuple):
    """A span, for those below it: as text a W3C `traceparent`; the flags are left out while nobody has sampled it."""

    trace_id: int
    span_id: int
    sampled: bool | None = None
    """None: the sampler of whoever records a span of this trace decides."""

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """What `text` says; None: it is no `traceparent`."""
        parts = text.split("-")
        digits = [_TRACE_DIGITS, _SPAN_DIGITS, _FLAGS_DIGITS][: len(parts) - 1]
        if len(parts) not in (3, 4) or parts[0] != _VERSION or [len(part) for part in parts[1:]] != digits:
            return None
        if not all(letter in "0123456789abcdef" for part in parts[1:] for letter in part):
            return None
        trace_id, span_id, *flags = (int(part, 16) for part in parts[1:])
        return cls(trace_id, span_id, bool(flags[0] & _SAMPLED) if flags else None) if trace_id and span_id else None

    def __str__(self) -> str:
        flags = "" if self.sampled is None else f"-{int(self.sampled):02x}"
        return f"{_VERSION}-{self.trace_id:032x}-{self.span_id:016x}{flags}"


class Segment(NamedTuple):
    """A stretch of a turn in which the agent works: from its beginning, or a pause's end, to the next stop."""

    workflow_id: str
    chain: str
    """The run id of the workflow's first execution: an id may be used again for another conversation."""
    turn: int
    number: int
    """Of the status change that it began with."""
    caller: str = ""
    """The span of whoever began the turn, as text; empty: the turn is a trace of its own."""

    @property
    def parent(self) -> TraceContext | None:
        """The span above the agent's own; None: there is none."""
        return TraceContext.parse(self.caller)

    @property
    def context(self) -> TraceContext:
        """The agent's own span, `invoke_agent`. All segments of a turn are in one trace."""
        parent = self.parent
        trace_id = parent.trace_id if parent is not None else _number(f"{self._turn} trace", _TRACE_DIGITS)
        span_id = _number(f"{self._turn} segment {self.number}", _SPAN_DIGITS)
        return TraceContext(trace_id, span_id, parent.sampled if parent is not None else None)

    @property
    def _turn(self) -> str:
        return f"{self.workflow_id} {self.chain} turn {self.turn}"


def _number(seed: str, digits: int) -> int:
    # Zero is no id.
    return int(sha256(seed.encode()).hexdigest()[:digits], 16) or 1
