"""One tool call."""

from typing import Any, Final

from spine_core import Usage

from spine_temporal.contracts.child import Delegation
from spine_temporal.contracts.decision import Ask, AskHead, Expiry
from spine_temporal.contracts.delta import SpokenDelta, StateDelta
from spine_temporal.contracts.ending import Ending
from spine_temporal.contracts.wire import Wire


class ToolInput(Wire):
    """The input of the activity `spine.tool`. The arguments stand in the model's message; they are not repeated."""

    agent: str
    head: str
    step: int
    index: int
    """Which of the step's calls, counted from 0: ids of calls are the model's and need not be unique."""
    name: str
    first: bool = False
    """Run `on_run_start` before anything else."""
    after: str | None = None
    """What the call waited for: the id of the update that decided it, AFTER_EXPIRY or AFTER_CHILD; None: nothing."""
    expiry: Expiry | None = None


AFTER_EXPIRY: Final = "expired"
AFTER_CHILD: Final = "child"


class ToolHead(Wire):
    """The part of a tool call's outcome that decides what happens next."""

    id: str
    delta: SpokenDelta | StateDelta
    ending: Ending | None = None
    """A hook ended the run."""
    said: str | None = None
    spent: Usage = Usage()
    """What the agent that did the work spent; it is added to the run's total."""
    asks: AskHead | Ask | None = None
    """The call did not run, or stopped in the midst: a person has to decide first."""
    delegates: Delegation | None = None
    """The call is another agent's to do."""
    transfer: str | None = None
    """The call handed the conversation to this member of the team."""


class ToolVerdict(ToolHead):
    """A tool call's outcome as the workflow reads it: from the same JSON, ignoring the rest."""

    delta: SpokenDelta = SpokenDelta()
    asks: AskHead | None = None


class ToolOutcome(ToolHead):
    """A tool call's outcome, whole: what the fold reads."""

    content: str = ""
    """What the model is told; not used when the call ended the run."""
    delta: StateDelta = StateDelta()
    """What the hooks changed in the State; the result's own message is not in it."""
    called: bool = False
    """The tool itself was started: not when it is unknown or a hook preset the result."""
    arguments: dict[str, Any] | None = None
    """The arguments it was started with, when a hook changed them."""
    known: bool = True
    """False: the agent has no tool of that name."""
    asks: Ask | None = None
    verdict: str = ""
    """What a person, or the clock, said: "approved", "rejected", or "answered" for an `Interrupt`."""
    edited: bool = False
    """The arguments are a person's."""
    plugins: dict[str, str] | None = None
    """The versions of the distributions that the agent was made of; None: those that the run knew of."""
