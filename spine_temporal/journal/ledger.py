"""A run as its journal has it: the workflow's progress, with what only a reader wants."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Final, NamedTuple

from pydantic import PlainSerializer
from spine_core import Message, State

from spine_temporal.contracts.approval import ApprovalRequest, DecideRequest
from spine_temporal.contracts.continuation import RestorePoint
from spine_temporal.contracts.messages import AnyToolCall
from spine_temporal.contracts.run_request import AgentSpec, RunRequest
from spine_temporal.contracts.state_form import AnyState
from spine_temporal.contracts.subagent import Delegation, SubagentOutcome
from spine_temporal.contracts.tool_call import ToolOutcome
from spine_temporal.journal.counters import Progress
from spine_temporal.journal.replacing import replace
from spine_temporal.journal.tool_calls import Phase

# Two versions side by side for long would make it grow with every step.
_MAX_VERSION_CHANGES: Final = 50

GivenRequest = Annotated[
    DecideRequest, PlainSerializer(lambda request: request.model_dump(mode="json", exclude_unset=True))
]
"""A decision as it was given: that it names a value may mean something, be the value None."""


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A decision, for whoever asks later who took it."""

    position: str
    call_id: str
    tool: str
    decision: str
    """approved, rejected; answered, when the tool had asked by itself; expired, when nobody decided."""
    at_s: float
    decided_by: str | None = None
    reason: str | None = None
    edited: bool = False


@dataclass(frozen=True, slots=True)
class VersionChange:
    """From a step on, the agent was made of other versions of its distributions."""

    step: int
    plugins: dict[str, str]
    """All of them, by distribution."""


@dataclass(frozen=True)
class CallContent:
    """The texts of one tool call of the step in hand; its phase is in the progress, at the same index."""

    call: AnyToolCall
    outcomes: tuple[ToolOutcome, ...] = ()
    """What came of it and has not entered the State yet."""
    request: ApprovalRequest | None = None
    """What it asks of a person, or asked last."""
    delegation: Delegation | None = None
    """What another agent was given."""
    returned: SubagentOutcome | None = None
    """What that agent gave back."""
    announced: bool = False
    """Its TOOL_CALL event is in the trace."""


@dataclass(frozen=True)
class Member:
    """A member of a team that works, or has worked."""

    number: int
    agent: str
    workflow_id: str = ""


@dataclass(frozen=True)
class Ledger:
    """What is known of a run. Never changed: `apply` makes the next one, and they share what did not change.

    `state` is what the kernel's own State would be at this point; treat it as read-only. Each field has a default, and
    keeps it: this is also the form in which a conversation comes to the execution that goes on with it.
    """

    progress: Progress = field(default_factory=Progress)
    state: AnyState = field(default_factory=lambda: State(session_id=""))
    agent: str = ""
    session_id: str = ""
    chain: str = ""
    """The run id of the first execution, which those that continue it, or are reset from it, keep naming."""
    calls: tuple[CallContent, ...] = ()
    """The tool calls of the step in hand."""
    requests: dict[str, GivenRequest] = field(default_factory=dict)
    """Decisions on the calls of the step in hand, by the ids of their entries."""
    decisions: tuple[DecisionRecord, ...] = ()
    members: tuple[Member, ...] = ()
    segment: int = 0
    """Counts what the kernel would give in one Result: from a turn's beginning, or a pause's end, to the next stop."""
    origin: RestorePoint | None = None
    """Where a fork began."""
    plugins: dict[str, str] = field(default_factory=dict)
    """The versions of the distributions that the agent is made of, as far as the run knows."""
    opened_with: dict[str, str] = field(default_factory=dict)
    """Those that it had when the conversation began."""
    version_changes: tuple[VersionChange, ...] = ()
    restored: bool = True
    """The conversation is there; False: it is still to come from where it was left."""
    early: tuple[Any, ...] | None = None
    """Entries that came while the conversation of this execution was still to come; None: it is not waited for."""
    result_of: str | None = None
    first_input: str | None = None
    """The user's input that opened the conversation again; the next turn begins with it."""

    @property
    def spec(self) -> AgentSpec:
        """What the agent is, as the run recorded it last.

        Raises:
            ValueError: the run was not opened.
        """
        if self.progress.spec is None:
            raise ValueError("the run was not opened")
        return self.progress.spec

    def refusal(self, index: int) -> str:
        """Why the step's plan refuses the call at `index`, for the model; empty: it does not."""
        calls = self.progress.calls
        return calls.items[index].planned.refused if calls is not None else ""

    def with_content(self, index: int, content: CallContent) -> "Ledger":
        """A copy with the texts of the call at `index` replaced."""
        return replace(self, calls=(*self.calls[:index], content, *self.calls[index + 1 :]))


class SubagentRecord(NamedTuple):
    """A subagent, as whoever reads the parent's journal knows it."""

    position: str
    workflow_id: str
    agent: str
    input: str
    status: str
    """running, paused or over."""
    number: int
    interrupt: Any


def subagents_of(ledger: Ledger) -> list[SubagentRecord]:
    """The agents that were given calls of the step in hand; of a team, all members that have begun."""
    calls = ledger.progress.calls
    found = [
        SubagentRecord(f"{member.number}.0", member.workflow_id, member.agent, "", "over", 0, None)
        for member in ledger.members
        if calls is None or member.number != calls.step
    ]
    for index, call in enumerate(calls.items if calls is not None else ()):
        subagent = call.subagent
        if subagent is None or calls is None:
            continue
        content = ledger.calls[index] if index < len(ledger.calls) else None
        delegation = content.delegation if content is not None and content.delegation else subagent.delegation
        status = subagent.status if call.phase is Phase.DELEGATED else "over"
        found.append(
            SubagentRecord(
                str(calls.position(index)),
                subagent.workflow_id,
                delegation.agent,
                delegation.input,
                status,
                subagent.number,
                subagent.interrupt,
            )
        )
    return found


def with_versions(ledger: Ledger, plugins: dict[str, str] | None) -> Ledger:
    """A copy whose agent is made of these versions by now; None or empty: unknown."""
    if not plugins or plugins == ledger.plugins:
        return ledger
    changes = (*ledger.version_changes, VersionChange(ledger.state.step, plugins))[-_MAX_VERSION_CHANGES:]
    return replace(ledger, plugins=plugins, version_changes=changes)


def open_state(request: RunRequest, session_id: str, system: str | None = None, tenant_id: str | None = None) -> State:
    """The State a run begins with, as the kernel makes it."""
    state = State(session_id=session_id, tenant_id=tenant_id, depth=request.depth)
    if system:
        state.add_message(Message.system(system))
    if request.input is not None:
        state.add_message(Message.user(request.input))
    return state
