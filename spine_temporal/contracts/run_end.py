"""How a run ends."""

from enum import StrEnum

from pydantic import Field
from spine_core import StopReason, Usage

from spine_temporal.contracts.base import Basis, WireModel
from spine_temporal.contracts.messages import AnyUsage
from spine_temporal.contracts.policies import DEFAULT_POLICY, ActivityPolicy
from spine_temporal.contracts.state_delta import StateDelta, no_change


class AnswerFrom(StrEnum):
    """Where the answer of an ended run stands, so that no text is written twice."""

    HERE = "here"
    """In the ending itself."""
    LAST_MESSAGE = "last_message"
    """It is the content of the conversation's last message."""
    LAST_TEXT = "last_text"
    """It is the model's last text: the kernel's answer when a guard trips."""


class Ending(WireModel):
    """How a run ended, or why it paused, as whoever ended it recorded it."""

    reason: StopReason
    answer: str | None = None
    answer_from: AnswerFrom = AnswerFrom.HERE
    error: str | None = None
    event: str = ""
    """The trace event of the ending: "final", "guard_trip", "interrupt", or none."""


class RunOutcome(WireModel):
    """The result of the workflow `spine.agent`: what a parent or a client in another language needs of a Result.

    The conversation and the trace are not in it: they are the history, see `Run.state` and `Run.events`.
    """

    reason: StopReason
    answer: str | None = None
    error: str | None = None
    usage: AnyUsage = Field(default_factory=Usage)
    unpriced_tokens: int = 0
    """Those of its tokens whose price nobody knew."""
    step: int = 0
    session_id: str = ""
    turn: int = 1
    transfer: str | None = None
    """The member of the team that the conversation was handed to."""
    result_of: str | None = None
    """The workflow whose Result is this run's: the last member of a team."""

    @property
    def ok(self) -> bool:
        """True when the model gave a final answer, as in `spine_core.Result`."""
        return self.reason is StopReason.FINAL


class EndInput(Basis):
    """The input of the activity `spine.end`: the ending that the `on_run_end` hooks get."""

    number: int = 0
    """Of the status change that the hooks run before."""
    ending: Ending
    first: bool = False
    """`on_run_start` has not run since the turn began or went on."""
    at: int | None = None
    """The run pauses at this call of the step."""
    policy: ActivityPolicy = DEFAULT_POLICY


class EndOutcome(WireModel):
    """What the `on_run_end` hooks changed."""

    id: str
    delta: StateDelta = Field(default_factory=no_change)
    ending: Ending | None = None
    """The ending as the hooks rewrote it; None: as it was."""
    error: str | None = None
    """A hook raised this; the run's Result stands."""


class MirrorInput(Basis):
    """The input of the activity `spine.mirror`: write the turn's State to the agent's own checkpoint backend."""

    ending: Ending
    policy: ActivityPolicy = DEFAULT_POLICY


class Mirrored(WireModel):
    """The State was written, or why not; the turn's Result stands either way."""

    error: str | None = None
