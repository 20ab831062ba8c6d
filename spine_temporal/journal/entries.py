"""The entries of a run's journal, in the order of its history."""

from dataclasses import dataclass

from spine_temporal.contracts.ending import Ending, EndInput, EndOutcome
from spine_temporal.contracts.opening import AgentSpec, RunRequest
from spine_temporal.contracts.step import StepInput, StepOutcome
from spine_temporal.contracts.tool import ToolInput, ToolOutcome


@dataclass(frozen=True, slots=True)
class Requested:
    """A client started the run; no worker has seen it yet."""

    request: RunRequest
    session_id: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A worker answered what the agent is; the conversation begins."""

    request: RunRequest
    session_id: str
    spec: AgentSpec


@dataclass(frozen=True, slots=True)
class StepBegun:
    """A step was scheduled."""

    task: StepInput


@dataclass(frozen=True, slots=True)
class StepDone:
    """A step has its outcome."""

    outcome: StepOutcome


@dataclass(frozen=True, slots=True)
class ToolBegun:
    """A tool call was scheduled."""

    task: ToolInput


@dataclass(frozen=True, slots=True)
class ToolDone:
    """A tool call has its outcome."""

    index: int
    outcome: ToolOutcome


@dataclass(frozen=True, slots=True)
class EndBegun:
    """`on_run_end` was scheduled."""

    task: EndInput


@dataclass(frozen=True, slots=True)
class EndDone:
    """The `on_run_end` hooks have run."""

    outcome: EndOutcome


@dataclass(frozen=True, slots=True)
class Closed:
    """The workflow is over. The ending counts only if nothing in the run ended it before."""

    ending: Ending


type Entry = Requested | Opened | StepBegun | StepDone | ToolBegun | ToolDone | EndBegun | EndDone | Closed
