"""Facts in the history's order, brought into the one in which the workflow applied them."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field

from spine_temporal.contracts.base import Basis
from spine_temporal.history.event_reader import MissedItsBeginning
from spine_temporal.journal.apply import apply
from spine_temporal.journal.counters import advance
from spine_temporal.journal.entries import (
    Closed,
    ContinuedAsNew,
    Entry,
    Fact,
    Requested,
    StepBegun,
    SubagentDone,
    SubagentStatusChanged,
    ToolBegun,
    basis_of,
)
from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.trace import Event


@dataclass(slots=True)
class Ordered:
    """A ledger to which facts come in the history's order, and that follows the workflow's own.

    What a record of the workflow's names is `settled`; what has come since is applied as it comes, and once more, in
    its true order, should the next record say that it was another one.
    """

    settled: Ledger = field(default_factory=Ledger)
    ledger: Ledger = field(default_factory=Ledger)
    """The settled one with all that has come since."""
    wanted: str | None = None
    """The revision that somebody looks for."""
    found: Ledger | None = None
    """The ledger at that revision."""
    complete: bool = True
    """False: it is fed from somewhere within a history, and may meet what it cannot know."""
    reported_ends: frozenset[str] = frozenset()
    """Positions of subagents whose end the trace has, and that an execution continued as new without knowing of it."""
    _tail: list[Fact] = field(default_factory=list)

    def copy(self) -> "Ordered":
        """The same, to be fed apart from this one."""
        copied = copy.copy(self)
        copied._tail = list(self._tail)  # noqa: SLF001 - its own kind
        return copied

    def add(self, entry: Entry) -> list[Event]:
        """Apply one more entry; its trace events.

        Raises:
            MissedItsBeginning: a record names what was not read.
        """
        if isinstance(entry, Requested):
            return self._begin(entry)
        if isinstance(entry, Closed):
            # Nothing follows; what the workflow had not taken in by then, it will not.
            self.settled, self._tail = self.ledger, []
        basis = basis_of(entry)
        if basis is not None:
            self._settle(basis)
        elif not isinstance(entry, Closed | StepBegun | ToolBegun | ContinuedAsNew):
            self.ledger, events = apply(self.ledger, entry)
            self._tail.append(entry)
            self._look(self.ledger)
            if (ended := _ended(entry)) in self.reported_ends:
                self.reported_ends -= {ended}
                return []
            return events
        if isinstance(entry, ContinuedAsNew):
            self._drop_tail()
            return []
        # What the workflow wrote itself comes right behind what it names.
        self.settled, events = apply(self.settled, entry)
        self._look(self.settled)
        self.ledger = self._replayed(self.settled, self._tail)
        return events

    def _begin(self, entry: Requested) -> list[Event]:
        carried = entry.request.carried
        if carried is not None and self.ledger.agent:
            self._settle(carried)
        self._drop_tail()
        self.settled, events = apply(self.settled, entry)
        self.ledger = self.settled
        self._look(self.settled)
        return events

    def _drop_tail(self) -> None:
        """An execution has ended without what is in the tail."""
        self.reported_ends |= {ended for fact in self._tail if (ended := _ended(fact))}
        self.ledger, self._tail = self.settled, []

    def _settle(self, basis: Basis) -> None:
        if basis.revision == self.ledger.progress.revision:
            self.settled, self._tail = self.ledger, []
            return
        if basis.revision == self.settled.progress.revision:
            return
        by_id = {fact.id: fact for fact in self._tail}
        named = basis.order or self._only(basis.revision)
        try:
            order = [by_id.pop(id_) for id_ in named]
        except KeyError as missing:
            raise MissedItsBeginning(f"the entry {missing} was not read") from None
        self.settled = self._replayed(self.settled, order)
        if self.settled.progress.revision != basis.revision:
            raise MissedItsBeginning(f"the history does not lead to revision {basis.revision!r}")
        self._tail = list(by_id.values())

    def _only(self, revision: str) -> tuple[str, ...]:
        """The one fact that leads from the settled revision to this one."""
        settled = self.settled.progress.revision
        return tuple(fact.id for fact in self._tail if advance(settled, fact.id) == revision)[:1]

    def _replayed(self, ledger: Ledger, facts: Iterable[Fact]) -> Ledger:
        for fact in facts:
            ledger, _ = apply(ledger, fact)
            self._look(ledger)
        return ledger

    def _look(self, ledger: Ledger) -> None:
        if self.found is None and self.wanted is not None and ledger.progress.revision == self.wanted:
            self.found = ledger


def _ended(fact: Fact) -> str:
    """The position of the subagent whose end it tells; empty: of none."""
    match fact:
        case SubagentDone(position):
            return str(position)
        case SubagentStatusChanged(_, status) if status.outcome is not None:
            return status.position
    return ""
