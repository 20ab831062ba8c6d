"""The tool calls of one step while their results come in."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from spine_temporal.contracts.approval import ApprovalTimeout
from spine_temporal.contracts.step import PlannedCall
from spine_temporal.contracts.subagent import SubagentOutcome
from spine_temporal.contracts.tool_call import AFTER_CHILD, ToolBase


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision that was taken and has not been carried out yet."""

    id: str
    """Of the update that brought it, or AFTER_EXPIRY."""
    approved: bool
    digest: str = ""
    """Of the arguments that were decided on."""
    expiry: ApprovalTimeout | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Results enter the conversation in the order of the calls, as in the kernel, whatever order they arrive in.

    One after another, each call begins when the one before it has entered. Side by side, all begin at once and enter
    together. A call may have several outcomes: it asks a person, or another agent, before it has its result.
    """

    calls: tuple[PlannedCall, ...]
    parallel: bool
    """The agent runs calls side by side where the kernel would: not in a group with a gated one."""
    outcomes: Mapping[int, tuple[ToolBase, ...]] = field(default_factory=dict)
    """What has not entered the conversation yet."""
    done: frozenset[int] = frozenset()
    """Calls that have their result."""
    entered: int = 0
    group: int = 0
    """Where the calls begin that the kernel would run as one list: after a pause, those behind the one decided."""
    asks: Mapping[int, ToolBase] = field(default_factory=dict)
    held: frozenset[int] = frozenset()
    """Calls that have ever asked."""
    verdicts: Mapping[int, Verdict] = field(default_factory=dict)
    acting: frozenset[int] = frozenset()
    """Calls that have begun with what they had waited for."""
    settled: Mapping[int, str] = field(default_factory=dict)
    """What was decided of a call, for whoever comes late."""
    children: Mapping[int, ToolBase] = field(default_factory=dict)
    """Calls that another agent works on."""
    paused: Mapping[int, int] = field(default_factory=dict)
    """Calls whose agent is paused or goes on: the number of its standing, negative when it goes on."""
    returned: Mapping[int, SubagentOutcome] = field(default_factory=dict)
    """What an agent gave back, when a hook has yet to see it."""

    @property
    def together(self) -> bool:
        """Whether the calls of the group run side by side."""
        rest = self.calls[self.group :]
        return self.parallel and len(rest) > 1 and not any(call.approve for call in rest)

    @property
    def over(self) -> bool:
        """Every result has entered the conversation."""
        return self.entered == len(self.calls)

    def runnable(self) -> list[int]:
        """Indices of the calls that may begin, or go on, and have no result."""
        stop = len(self.calls) if self.together else min(self.entered + 1, len(self.calls))
        return [index for index in range(self.entered, stop) if index not in self.done and not self._waits(index)]

    def after(self, index: int) -> str | None:
        """What the call goes on after; None: it begins."""
        if index in self.returned:
            return AFTER_CHILD
        return self.verdicts[index].id if index in self.asks and index in self.verdicts else None

    def is_open(self, index: int) -> bool:
        """Whether a decision on this call would be taken."""
        if index in self.done or index in self.verdicts or index in self.acting or index in self.children:
            return False
        return self.entered <= index < len(self.calls) and (index in self.asks or self.calls[index].approve)

    def open(self) -> list[int]:
        """Calls that a person may decide: those that asked, and gated ones whose turn has not come yet."""
        return [index for index in range(len(self.calls)) if self.is_open(index)]

    def busy_children(self) -> list[int]:
        """Calls whose agent is at work, not paused."""
        return [index for index in self.children if index not in self.returned and self.paused.get(index, 0) <= 0]

    def stands_at(self) -> int | None:
        """The first call that waits for a person, its own or its agent's; None: none does."""
        waiting = [index for index in self.asks if index not in self.verdicts]
        waiting += [index for index in self.children if self.paused.get(index, 0) > 0 and index not in self.returned]
        return min(waiting, default=None)

    def begun(self, index: int, after: str | None) -> "Batch":
        """This batch once a call has begun, or gone on."""
        if after is None:
            return self
        return replace(
            self,
            asks=_without(self.asks, index),
            verdicts=_without(self.verdicts, index),
            children=_without(self.children, index),
            returned=_without(self.returned, index),
            acting=self.acting | {index},
        )

    def with_outcome(self, index: int, outcome: ToolBase) -> "Batch":
        """This batch with one more outcome of a call."""
        batch = replace(
            self,
            outcomes={**self.outcomes, index: with_one_more(self.outcomes.get(index, ()), outcome)},
            acting=self.acting - {index},
        )
        if outcome.asks is not None:
            verdict = self.verdicts.get(index)
            if verdict is not None and verdict.digest != outcome.asks.digest:
                # It was taken for other arguments than those that the hooks made of them.
                batch = replace(batch, verdicts=_without(batch.verdicts, index))
            return replace(batch, asks={**batch.asks, index: outcome}, held=batch.held | {index})
        if outcome.delegates is not None:
            return replace(batch, children={**batch.children, index: outcome})
        return replace(batch, done=batch.done | {index}, children=_without(batch.children, index))

    def with_verdict(self, index: int, verdict: Verdict, settled: str) -> "Batch":
        """This batch with a decision; one that was taken for other arguments than the call asks about is dropped."""
        ask = self.asks.get(index)
        if ask is not None and ask.asks is not None and verdict.digest != ask.asks.digest:
            return self
        return replace(self, verdicts={**self.verdicts, index: verdict}, settled={**self.settled, index: settled})

    def with_standing(self, index: int, number: int, *, paused: bool) -> "Batch":
        """This batch once the agent that works on a call paused or went on; what comes out of order is dropped."""
        if abs(self.paused.get(index, 0)) >= number:
            return self
        return replace(self, paused={**self.paused, index: number if paused else -number})

    def ready(self, index: int) -> list[int]:
        """Calls whose outcomes may enter the conversation now that `index` has one more."""
        if not self.together:
            return [index]
        # Side by side, they enter together.
        rest = range(self.entered, len(self.calls))
        return list(rest) if all(each in self.done for each in rest) else []

    def _waits(self, index: int) -> bool:
        asks = index in self.asks and index not in self.verdicts
        return asks or (index in self.children and index not in self.returned)

    def with_entered(self, indices: list[int]) -> "Batch":
        """This batch once the outcomes of these calls have entered."""
        batch = self
        for index in indices:
            batch = replace(batch, outcomes=_without(batch.outcomes, index))
            if index in batch.done:
                # The kernel goes on after a pause with a list of its own.
                group = index + 1 if index in batch.held and not batch.together else batch.group
                batch = replace(batch, entered=max(batch.entered, index + 1), group=group)
        return batch


def with_one_more[H: ToolBase](outcomes: tuple[H, ...], outcome: H) -> tuple[H, ...]:
    """A call's outcomes so far with its next; of two results, as two attempts may bring them, the last counts."""
    return (*(each for each in outcomes if each.asks is not None or each.delegates is not None), outcome)


def _without[V](mapping: Mapping[int, V], index: int) -> dict[int, V]:
    return {key: value for key, value in mapping.items() if key != index}
