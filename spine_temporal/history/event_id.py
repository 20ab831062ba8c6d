"""The id of a run's event: where it stands in the histories, the same for every reader."""

import re
from dataclasses import dataclass
from typing import Final, Self

from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent

from spine_temporal.errors import BadInput

_FORM: Final = re.compile(
    r"(?P<members>(?:\d{1,9}/){0,20})(?P<execution>[0-9A-Za-z-]{1,100})-(?P<event>\d{1,18})-"
    r"(?:(?P<number>\d{1,9})|(?P<attempt>\d{1,9})\.(?P<call>\d{1,9})\.(?P<offset>\d{1,18}))",
    re.ASCII,
)

_RESET: Final = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW

type Order = tuple[int, ...]
"""What comes later in an execution is greater."""


@dataclass(frozen=True, slots=True)
class EventId:
    """Which execution, which of the events of its history, and which of those that it tells."""

    execution: str
    """The run id under which the event came into being: in one that was reset, events before the reset keep theirs."""
    event: int
    """Of a step's beginning and its tokens, the event that scheduled the step."""
    number: int = 0
    written: tuple[int, int, int] | None = None
    """Of a token: the attempt, how often the model was asked before in it, how many characters are written by then."""
    members: tuple[int, ...] = ()
    """Of an event of a team's member, the member's number; of a member of that, its number behind it."""

    @property
    def order(self) -> Order:
        """Later events of one execution have greater ones."""
        return (self.event, 0, self.number) if self.written is None else (self.event, 1, *self.written)

    def __str__(self) -> str:
        last = str(self.number) if self.written is None else ".".join(map(str, self.written))
        return "".join(f"{member}/" for member in self.members) + f"{self.execution}-{self.event}-{last}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The id that is written so.

        Raises:
            BadInput: it is none.
        """
        found = _FORM.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise BadInput(f"{str(text)[:100]!r} is no id of an event; `id` of a run's event is one")
        token = found["attempt"] is not None
        return cls(
            found["execution"],
            int(found["event"]),
            number=0 if token else int(found["number"]),
            written=(int(found["attempt"]), int(found["call"]), int(found["offset"])) if token else None,
            members=tuple(int(member) for member in found["members"].split("/") if member),
        )


class Branch:
    """Under which run id the event that was fed last came into being.

    A reset copies the events before it, ids included, into a new execution. They keep the run id that theirs had; those
    behind the event by which the reset begins have the new one's.
    """

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id

    def feed(self, event: HistoryEvent) -> None:
        """Go on to that event."""
        if event.HasField("workflow_execution_started_event_attributes"):
            began = event.workflow_execution_started_event_attributes
            self.run_id = began.original_execution_run_id or self.run_id
        elif event.HasField("workflow_task_failed_event_attributes"):
            failed = event.workflow_task_failed_event_attributes
            if failed.cause == _RESET:
                self.run_id = failed.new_run_id or self.run_id
