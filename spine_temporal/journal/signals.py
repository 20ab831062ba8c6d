"""What a signal to a run makes known, in the workflow and to whoever reads its history."""

from collections.abc import Callable
from typing import Protocol

from spine_temporal.contracts import names
from spine_temporal.contracts.base import WireModel
from spine_temporal.contracts.subagent import SubagentStatus
from spine_temporal.contracts.turn import StopRequest, StreamRequest
from spine_temporal.journal.entries import (
    EndReportRequested,
    Entry,
    StopRequested,
    StreamRequested,
    SubagentStatusChanged,
)


class Argument(Protocol):
    """The one argument of a signal, read as a model."""

    def __call__[W: WireModel](self, type_: type[W]) -> W:
        """The model.

        Raises:
            ValueError: it is none.
        """


def signaled(name: str, argument: Argument) -> Callable[[str], Entry] | None:
    """The entry that the signal of that name brings, once it has an id; None: nobody knows such a signal.

    Raises:
        ValueError: its argument cannot be read.
    """
    match name:
        case names.STOP_SIGNAL:
            # The turn in hand ends at its next step boundary; a session that waits for a turn closes.
            return lambda id_: StopRequested(id_)
        case names.STOP_TURN_SIGNAL:
            turn = argument(StopRequest).turn
            return lambda id_: StopRequested(id_, turn)
        case names.STREAM_SIGNAL:
            every_s = argument(StreamRequest).tokens_every_s
            return lambda id_: StreamRequested(id_, every_s)
        case names.CHILD_SIGNAL:
            status = argument(SubagentStatus)
            return lambda id_: SubagentStatusChanged(id_, status)
        case names.REPORT_END_SIGNAL:
            return lambda id_: EndReportRequested(id_)
        case _:
            return None
