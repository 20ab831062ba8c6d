"""Random journals: entries in an order in which a history could hold them."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from spine_core import Guards, Message, StopReason, ToolCall

from spine_temporal.contracts.approval import ApprovalPolicy, ApprovalRequest
from spine_temporal.contracts.base import dump, load
from spine_temporal.contracts.run_end import AnswerFrom, Ending
from spine_temporal.contracts.run_id import Position
from spine_temporal.contracts.run_request import AgentSpec
from spine_temporal.contracts.state_delta import StateDelta
from spine_temporal.contracts.step import StepSummary
from spine_temporal.contracts.subagent import Delegation, SubagentOutcome
from spine_temporal.contracts.team import TeamPlan
from spine_temporal.contracts.tool_call import ToolSummary
from spine_temporal.journal.entries import (
    Decided,
    EndReportRequested,
    Entry,
    Opened,
    SpecRefreshed,
    StepDone,
    StopRequested,
    SubagentDone,
    SubagentStarted,
    ToolDone,
)
from spine_temporal.journal.progress import Progress, apply
from spine_temporal.journal.tool_calls import Phase
from tests.rooms.journal import entries
from tests.rooms.journal.states import USAGES

type Draw = Callable[..., Any]

TEAM = TeamPlan(kind="sequential", members={"0": "first", "1": "second"})
SPECS = st.builds(
    AgentSpec,
    agent=st.just("assistant"),
    guards=st.just(Guards()),
    parallel_tools=st.booleans(),
    hooks=st.sampled_from([(), ("on_run_start",), ("before_tool",)]),
    system=st.none() | st.just("be brief"),
    plugins=st.sampled_from([{}, {"spinekit": "0.3"}, {"spinekit": "0.4"}]),
)
ENDINGS = st.builds(
    Ending,
    reason=st.sampled_from(StopReason),
    answer=st.none() | st.just("an answer"),
    answer_from=st.sampled_from([AnswerFrom.HERE, AnswerFrom.LAST_TEXT]),
    error=st.none() | st.just("broken"),
    event=st.sampled_from(["", "final", "guard_trip"]),
)
DELTAS = st.builds(
    StateDelta,
    messages=st.lists(st.sampled_from([Message.user("by the way"), Message.assistant("so far")]), max_size=1),
    usage=st.none() | USAGES,
    usage_before=st.none() | USAGES,
    scratch=st.sampled_from([{}, {"set": {"key": 1}}]),
)
OUTCOMES = st.builds(
    SubagentOutcome,
    answer=st.none() | st.just("helped"),
    reason=st.sampled_from(["", "final", "error"]),
    usage=USAGES,
    transfer=st.none() | st.just("second"),
)


@st.composite
def journals(draw: Draw, *, team: bool | None = None) -> list[Entry]:
    """The entries of a run, from its request on."""
    spec = draw(SPECS)
    if draw(st.sampled_from([False, False, False, True])) if team is None else team:
        spec = spec.model_copy(update={"team": TEAM, "system": None})
    approval = draw(st.sampled_from([None, ApprovalPolicy(timeout_s=60.0)]))
    journal: list[Entry] = [entries.requested(approval=approval), Opened("spec 1", spec, 100.0, "go")]
    progress = Progress()
    for entry in journal:
        progress = apply(progress, entry)
    for number in range(draw(st.integers(0, 25))):
        kind = _expected(progress) if draw(st.sampled_from([True, True, False])) else draw(st.sampled_from(_KINDS))
        following = kind(draw, progress, f"entry {number}")
        if following is not None:
            progress = apply(progress, following)
            journal.append(following)
    return journal


def as_the_workflow_reads(entry: Entry) -> Entry:
    """The entry as the workflow has it: outcomes from their JSON without the texts, no arguments of decisions."""
    match entry:
        case StepDone(outcome):
            return StepDone(load(StepSummary, dump(outcome)))
        case ToolDone(step, index, outcome):
            return ToolDone(step, index, load(ToolSummary, dump(outcome)))
        case Decided(id_, update_id, receipt, by):
            return Decided(id_, update_id, receipt, by)
    return entry


def _step_done(draw: Draw, progress: Progress, id_: str) -> Entry | None:
    if progress.spec is None or progress.spec.team is not None:
        return None
    names = draw(st.lists(st.sampled_from(["find", "find", "pay", "nowhere"]), max_size=3))
    calls = [ToolCall(id=f"call_{n % 2}", name=name, arguments={"n": n}) for n, name in enumerate(names)]
    message = Message.assistant(draw(st.none() | st.just("thinking")), calls)
    delta = draw(DELTAS)
    delta = delta.model_copy(update={"messages": [*delta.messages, message], "fields": {"step": progress.step + 1}})
    ending = draw(ENDINGS) if not calls else None
    return entries.step_done(progress.step + 1, message, delta=delta, usage=draw(USAGES), ending=ending, id=id_)


def _tool_begun(draw: Draw, progress: Progress, id_: str) -> Entry | None:
    calls = progress.calls
    runnable = calls.runnable() if calls is not None else ()
    return entries.tool_begun(draw(st.sampled_from(runnable)), calls.step) if calls is not None and runnable else None


def _tool_done(draw: Draw, progress: Progress, id_: str) -> Entry | None:
    calls = progress.calls
    open_ = [at for at, call in enumerate(calls.items) if call.phase is not Phase.DELEGATED] if calls else []
    if calls is None or not open_:
        return None
    outcomes: list[dict[str, Any]] = [
        {"content": "found", "delta": draw(DELTAS), "spent": draw(USAGES)},
        {"called": False, "asks": ApprovalRequest(digest="d", asked_s=100.0, arguments={"n": 1}, payload={"why": 1})},
        {"asks": ApprovalRequest(mode="manual", digest="d", payload="which?")},
        {"delegates": Delegation(agent="helper", input="help", hooked=draw(st.booleans()))},
        {"ending": draw(ENDINGS)},
        {"content": "moved", "transfer": "second"},
    ]
    running = [at for at in open_ if calls.items[at].phase is Phase.RUNNING]
    index = draw(st.sampled_from(running or open_))
    return entries.tool_done(index, step=calls.step, id=id_, **draw(st.sampled_from(outcomes)))


def _position(draw: Draw, progress: Progress) -> Position:
    calls = progress.calls
    if calls is None:
        return Position(1, 0)
    waiting = [at for at, call in enumerate(calls.items) if call.phase in (Phase.ASKED, Phase.DELEGATED)]
    return Position(calls.step, draw(st.sampled_from([*waiting, *waiting, *range(3)])))


def _decided(draw: Draw, progress: Progress, id_: str) -> Entry | None:
    answer, digest = draw(st.sampled_from(["approve", "no"])), draw(st.sampled_from(["d", "d", "other"]))
    return entries.decided(str(_position(draw, progress)), answer, digest, id_, decided_by="anna")


def _expired(draw: Draw, progress: Progress, id_: str) -> Entry | None:
    error = draw(st.none() | st.just("nobody decided"))
    return entries.expired(str(_position(draw, progress)), approved=draw(st.booleans()), error=error)


def _status(draw: Draw, progress: Progress, id_: str) -> Entry | None:
    status = draw(st.sampled_from(["running", "paused", "idle"]))
    turn = progress.queue[0].turn if status == "running" and progress.queue and progress.over else progress.turn
    ending = None if status == "running" else draw(ENDINGS)
    at = draw(st.none() | st.integers(0, 2))
    return entries.status_changed(progress.status_number + 1, status, turn=turn, ending=ending, at=at, worked_s=2.0)


def _subagent_status(draw: Draw, progress: Progress, id_: str) -> Entry | None:
    status, outcome = draw(st.sampled_from(["running", "paused"])), draw(st.none() | OUTCOMES)
    return entries.subagent_status(str(_position(draw, progress)), draw(st.integers(1, 5)), status, outcome)


type Kind = Callable[[Draw, Progress, str], Entry | None]

_KINDS: list[Kind] = [
    _step_done,
    _tool_begun,
    _tool_done,
    _decided,
    _expired,
    _status,
    _subagent_status,
    lambda draw, progress, id_: SubagentStarted(_position(draw, progress), "a workflow"),
    lambda draw, progress, id_: _subagent_done(draw, progress, id_),
    lambda draw, progress, id_: entries.step_begun(progress.step + 1, first=draw(st.booleans())),
    lambda draw, progress, id_: _turn_queued(draw, progress, id_),
    lambda draw, progress, id_: StopRequested(id_, draw(st.none() | st.integers(1, 3))),
    lambda draw, progress, id_: EndReportRequested(id_),
    lambda draw, progress, id_: SpecRefreshed(id_, draw(SPECS).model_copy(update={"team": _team_of(progress)})),
    lambda draw, progress, id_: entries.end_begun(draw(ENDINGS), number=progress.status_number),
    lambda draw, progress, id_: entries.end_done(id=id_, delta=draw(DELTAS), ending=draw(st.none() | ENDINGS)),
]


def _team_of(progress: Progress) -> TeamPlan | None:
    return progress.spec.team if progress.spec is not None else None


def _expected(progress: Progress) -> Kind:
    """What a run without surprises would do next."""
    calls = progress.calls
    if progress.over:
        return _status if progress.queue else _turn_queued
    phases = {call.phase for call in calls.items} if calls is not None else set()
    if calls is None or calls.over:
        return _step_done
    if calls.runnable():
        return _tool_begun
    if Phase.RUNNING in phases:
        return _tool_done
    return _decided if Phase.ASKED in phases else _subagent_done


def _subagent_done(draw: Draw, progress: Progress, id_: str) -> Entry:
    return SubagentDone(_position(draw, progress), draw(OUTCOMES))


def _turn_queued(draw: Draw, progress: Progress, id_: str) -> Entry:
    return entries.turn_queued(progress.last_turn + 1, "and then?")
