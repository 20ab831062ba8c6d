"""What the workflow knows of a run: counters, phases, queues; never its text."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from pydantic import ValidationError
from spine_core import Message, StopReason, Usage

from spine_temporal.contracts.approval import ApprovalPolicy
from spine_temporal.contracts.base import WireModel
from spine_temporal.contracts.messages import AnyUsage
from spine_temporal.contracts.run_end import AnswerFrom, Ending
from spine_temporal.contracts.run_request import AgentSpec
from spine_temporal.contracts.state_delta import DeltaSummary, MessageSummary, StateDelta
from spine_temporal.contracts.status import Status
from spine_temporal.contracts.turn import QueuedTurn
from spine_temporal.journal.replacing import replace
from spine_temporal.journal.state_delta import count
from spine_temporal.journal.tool_calls import Calls

_REVISION_BYTES: Final = 6
# As many receipts as fit into some thirty kilobytes: a client that sends an update again does so within seconds.
_RECEIPTS: Final = 300


@dataclass(frozen=True)
class Spent:
    """What a conversation had used up at some point."""

    step: int = 0
    usage: AnyUsage = field(default_factory=Usage)
    unpriced_tokens: int = 0


@dataclass(frozen=True)
class Progress:
    """The workflow's view of a run, the same function of the same entries as the fold's view of it.

    It holds no transcript. `last_text` is the model's, kept because the kernel answers with it when a guard trips.
    Each field has a default, and keeps it: a conversation that another version began goes on.
    """

    revision: str = ""
    """Fingerprint of the entries that were applied; each one moves it."""
    spec: AgentSpec | None = None
    """What the agent is, without its system prompt, which is in the conversation. None: no worker has answered."""
    opened: bool = False
    """The conversation is there: begun, or restored."""
    approval: ApprovalPolicy | None = None
    """For calls whose tool has no policy of its own."""

    step: int = 0
    depth: int = 0
    usage: AnyUsage = field(default_factory=Usage)
    unpriced_tokens: int = 0
    """Those of its tokens whose price nobody knew: with any, the cost is not known either."""
    begun_with: Spent = field(default_factory=Spent)
    """What the conversation had used up when this run began to go on with it: what is more is the run's own."""
    tenant_id: str | None = None
    last_text: str | None = None
    hooks_started: bool = False
    """`on_run_start` has run since the turn began or went on."""
    calls: Calls | None = None
    """The tool calls of the step in hand; of a team, the member at work."""

    status: Status = "running"
    """As it was published last."""
    status_number: int = 0
    ending: Ending | None = None
    """How the turn ended, or that it is paused (`StopReason.INTERRUPT`)."""
    answer: str | None = None
    transfer: str | None = None
    """The member of the team that the conversation was handed to in this turn."""
    team_input: str | None = None
    """What the user gave a team: each member of a handoff works on it."""
    failed: Ending | None = None
    """Why the turn cannot go on, when neither a step nor a hook says so."""

    turn: int = 1
    last_turn: int = 1
    """The number that the latest accepted turn has."""
    queue: tuple[QueuedTurn, ...] = ()
    stop_requested: bool = False
    """The turn in hand is to end at its next boundary; of an idle session: it is to close."""
    tokens_every_s: float | None = None
    """How often the text of an answer is streamed while the model writes it, in this turn; None: not before."""
    trace: str = ""
    """The span of whoever began the turn in hand, as a W3C `traceparent`; empty: nobody traces it."""
    segment_from: Spent = field(default_factory=Spent)
    """What the conversation had used up when the turn began, or went on after a pause."""
    stopped_turns: tuple[int, ...] = ()
    """Turns that are over as soon as they begin."""
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Results of the latest updates by their ids: the server knows an id again within one execution only."""
    report_end: bool = False
    """The parent wants to be sent how this run ends."""

    worked_s: float = 0.0
    """How long the turn had worked when its clock last stopped; waiting for people does not count."""
    working_since_s: float | None = None
    """Since when its clock runs, in Unix time; None: it is stopped."""
    idle_since_s: float | None = None

    @property
    def spent(self) -> Spent:
        """What the conversation has used up."""
        return Spent(self.step, self.usage, self.unpriced_tokens)

    @property
    def own(self) -> Spent:
        """What this run has used up, with the agents below it."""
        return self._spent_since(self.begun_with)

    @property
    def segment_own(self) -> Spent:
        """What was used up since the turn began, or went on after a pause, with the agents below."""
        return self._spent_since(self.segment_from)

    def _spent_since(self, before: Spent) -> Spent:
        usage = Usage(
            input_tokens=self.usage.input_tokens - before.usage.input_tokens,
            output_tokens=self.usage.output_tokens - before.usage.output_tokens,
            cost_usd=self.usage.cost_usd - before.usage.cost_usd if before.usage.cost_usd else self.usage.cost_usd,
        )
        return Spent(self.step - before.step, usage, self.unpriced_tokens - before.unpriced_tokens)

    @property
    def paused(self) -> bool:
        """It waits for a person, or is about to."""
        return self.ending is not None and self.ending.reason is StopReason.INTERRUPT

    @property
    def over(self) -> bool:
        """The turn has ended."""
        return self.ending is not None and not self.paused

    @property
    def next_stop_number(self) -> int:
        """The number of the last stop that is known: a pause whose hooks still run has one already."""
        return self.status_number + (1 if self.paused and self.status == "running" else 0)

    def elapsed_s(self, now_s: float) -> float:
        """Seconds that the turn has worked by `now_s`."""
        return self.worked_s + (max(0.0, now_s - self.working_since_s) if self.working_since_s is not None else 0.0)


def advance(revision: str, entry_id: str) -> str:
    """The revision that the entry of that id makes of `revision`."""
    return blake2b(f"{revision}/{entry_id}".encode(), digest_size=_REVISION_BYTES).hexdigest()


def with_ending(progress: Progress, ending: Ending, *, last_message: str | None = None) -> Progress:
    """A copy with that ending, and the answer looked up where the ending says it is."""
    answer = {
        AnswerFrom.HERE: ending.answer,
        AnswerFrom.LAST_MESSAGE: last_message,
        AnswerFrom.LAST_TEXT: progress.last_text,
    }[ending.answer_from]
    return replace(progress, ending=ending, answer=answer)


def may_end(progress: Progress, ending: Ending) -> bool:
    """Whether `ending` counts: nothing has ended the turn, or it is only paused and this is another ending."""
    return not progress.over and (not progress.paused or ending.reason is not StopReason.INTERRUPT)


def stopped_by_guard(reason: StopReason) -> Ending:
    """The ending of a run that a guard, or its caller, stopped between two steps."""
    return Ending(reason=reason, answer_from=AnswerFrom.LAST_TEXT, event="guard_trip")


def paused_ending() -> Ending:
    """The ending of a run that waits for a person, which is none."""
    return Ending(reason=StopReason.INTERRUPT, event="interrupt")


def failure(error: str) -> Ending:
    """The ending of a run that cannot go on."""
    return Ending(reason=StopReason.ERROR, error=error)


def with_conversation(progress: Progress, before: Progress) -> Progress:
    """A copy that goes on with the conversation that another run left."""
    turn = before.turn + 1
    return replace(
        progress,
        opened=True,
        step=before.step,
        usage=before.usage,
        unpriced_tokens=before.unpriced_tokens,
        begun_with=before.spent,
        tenant_id=before.tenant_id,
        last_text=before.last_text,
        turn=before.turn,
        last_turn=max(turn, before.turn + len(progress.queue) + 1),
        status_number=before.status_number,
        depth=progress.depth,
    )


def with_receipt(progress: Progress, update_id: str, receipt: WireModel) -> Progress:
    """A copy that knows what the update of that id was answered."""
    written = receipt.model_dump(mode="json", exclude_defaults=True)
    receipts = {**progress.receipts, update_id: written}
    for oldest in list(receipts)[:-_RECEIPTS]:
        del receipts[oldest]
    return replace(progress, receipts=receipts)


def receipt_in[W: WireModel](progress: Progress, update_id: str, type_: type[W]) -> W | None:
    """What the update of that id was answered; None: there was none, or one of another kind."""
    try:
        return type_.model_validate(progress.receipts[update_id])
    except (KeyError, ValidationError):
        return None


def known_cost_usd(spent: Spent) -> float | None:
    """What it cost; None: nobody knows, or not of all of it."""
    cost_usd = spent.usage.cost_usd
    return cost_usd if not spent.unpriced_tokens and math.isfinite(cost_usd) else None


def is_spent(usage: Usage) -> bool:
    """Whether there is anything to count in it."""
    return bool(usage.input_tokens or usage.output_tokens or usage.cost_usd)


def with_delta(
    progress: Progress,
    delta: DeltaSummary | StateDelta,
    last_text: str | None,
    *,
    banked: Usage | None = None,
    unpriced_tokens: int = 0,
    stepped: bool = False,
) -> Progress:
    """A copy that counts what `delta` changed; `banked` is what was spent beside it, `stepped`: a step was, too."""
    return replace(
        progress,
        step=delta.fields.get("step", progress.step + 1 if stepped else progress.step),
        depth=delta.fields.get("depth", progress.depth),
        usage=count(progress.usage, delta, banked=banked),
        unpriced_tokens=progress.unpriced_tokens + unpriced_tokens,
        tenant_id=delta.fields.get("tenant_id", progress.tenant_id),
        last_text=_last_text(progress.last_text, delta.messages) if last_text is None else last_text or None,
    )


def _last_text(before: str | None, messages: Sequence[MessageSummary | Message]) -> str | None:
    texts = (message.content for message in reversed(messages) if message.role == "assistant" and message.content)
    return next(texts, before)
