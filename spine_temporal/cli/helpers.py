"""The agents that work for a run, from its history."""

from dataclasses import dataclass, field

from spine_temporal.cli.finding import named
from spine_temporal.contracts.subagent import SubagentOutcome
from spine_temporal.history.fold import Fold
from spine_temporal.journal.entries import Entry, SubagentDone
from spine_temporal.journal.ledger import Child


@dataclass(frozen=True, slots=True)
class Helper:
    """An agent that works, or has worked, for the run."""

    position: str
    """The call, "step.index"; of a team, which member it is, counted from 1."""
    agent: str
    run: str
    workflow_id: str
    status: str
    """running, paused; then the kernel's reason for its stop, or "failed"."""
    error: str | None = None


@dataclass(slots=True)
class Helpers:
    """Gathers them while a history is folded: a ledger forgets those of the steps before."""

    fold: Fold
    _children: dict[str, Child] = field(default_factory=dict)
    _outcomes: dict[str, SubagentOutcome] = field(default_factory=dict)

    def look(self) -> None:
        """See who is at work now; called after each event."""
        self._children.update(self.fold.ledger.children)

    def hear(self, entry: Entry) -> None:
        """Hear what came of one."""
        if isinstance(entry, SubagentDone):
            self._outcomes[entry.position] = entry.outcome

    def all(self) -> list[Helper]:
        """All that this execution knows of, in the order of their calls."""
        return [self._helper(child) for child in sorted(self._children.values(), key=_order)]

    def _helper(self, child: Child) -> Helper:
        outcome = self._outcomes.get(child.position)
        status = child.status if outcome is None else outcome.reason or "failed"
        error = outcome.error if outcome is not None else None
        return Helper(child.position, child.agent, named(child.workflow_id), child.workflow_id, status, error)


def _order(child: Child) -> list[int]:
    return [int(part) for part in child.position.split(".") if part.isdecimal()]
