"""The ledger at a revision, from this worker's memory or from history."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from spine_temporal.activities.ledger_size import messages_bytes, other_bytes
from spine_temporal.activities.working_messages import WorkingMessages
from spine_temporal.contracts.continuation import RestoreInput
from spine_temporal.contracts.postponing import RetryLater
from spine_temporal.contracts.state_delta import StateDelta
from spine_temporal.journal.apply import apply
from spine_temporal.journal.entries import Entry, StepDone, ToolDone
from spine_temporal.journal.ledger import Ledger

type RunKey = tuple[str, str]
"""Workflow id, run id."""
type Fold = Callable[[RunKey, str], Awaitable[Ledger | None]]
"""The ledger of a run at a revision, from the beginning of its history; None: it does not lead there."""
type CatchUp = Callable[[RunKey, Ledger, str], Awaitable[Ledger | None]]
"""An older ledger brought to a revision from the end of the history; None: they are too far apart."""
type LookedUp = Callable[[str, float | None], object]
"""Called with "hit", "caught_up" or "folded", and for how long a history was read."""

# Measured: a copy for users' code, which shares the texts, with what it takes to see that it was edited; 650 of a
# message that is nothing but text, 1,700 of one that calls a tool.
_COPY_BYTES: Final = 900
_OTHER_VERSION_S: Final = 5.0


@dataclass(slots=True, eq=False)
class _Kept:
    base: Ledger
    """As an activity of this worker started from it: a record in the history was written at its revision."""
    ledger: Ledger
    """The base, or what that activity has made of it."""
    messages_bytes: int
    other_bytes: int
    working: WorkingMessages | None = None
    """None: an activity has them, or none had any."""
    beside: dict[str, Entry] = field(default_factory=dict)
    """Outcomes of local calls that all started from the base, by their ids, in the order in which they ended here."""
    counted_bytes: int = 0
    """What it adds to the total: weighed when its ledger grows, not while an activity has its messages."""

    def ordered(self, order: Sequence[str]) -> Ledger:
        """The base with those of the local calls beside each other that are in `order`, in that order."""
        return _with(self.base, [self.beside[id_] for id_ in order if id_ in self.beside])

    @property
    def memory_bytes(self) -> int:
        """All of it."""
        copies = len(self.working) * _COPY_BYTES if self.working is not None else 0
        return self.messages_bytes + self.other_bytes + copies


class LedgerCache:
    """The ledgers of the runs this worker last worked for, bounded in bytes of memory, as estimated.

    Only an accelerator. Every entry moves the revision and outcomes have random ids, so a ledger either is the one
    that an activity asks for, or it is not; an outcome that never reached the history, because another attempt was
    quicker, cannot be taken for the recorded one.
    """

    def __init__(
        self, fold: Fold, catch_up: CatchUp, *, max_bytes: int, looked_up: LookedUp = lambda _result, _duration_s: None
    ) -> None:
        self._fold = fold
        self._catch_up = catch_up
        self._looked_up = looked_up
        self._max_bytes = max_bytes
        self._kept: OrderedDict[RunKey, _Kept] = OrderedDict()
        self._looking: dict[tuple[RunKey, str], asyncio.Task[Ledger]] = {}
        self._total_bytes = 0
        self.hits = 0
        self.folds = 0
        self.caught_up = 0

    async def at(self, run: RunKey, revision: str, order: Sequence[str] = ()) -> Ledger:
        """The ledger of `run` at `revision`; `order` is that of the last entries before it, as the workflow has them.

        Raises:
            RevisionNotFound: the history does not lead there as this worker reads it; another version may.
        """
        kept = self._kept.get(run)
        if kept is not None and kept.ledger.progress.revision == revision:
            self._hit()
            kept.base, kept.beside = kept.ledger, {}
            self._kept.move_to_end(run)
            return kept.ledger
        if kept is not None and kept.base.progress.revision == revision:
            self._hit()
            return kept.base
        ordered = kept.ordered(order) if kept is not None and kept.beside else None
        if ordered is not None and ordered.progress.revision == revision:
            self._hit()
            self._keep(run, _new(ordered))
            return ordered
        looking = self._looking.get((run, revision))
        if looking is None:
            # Calls side by side all begin from one revision: it is looked up once.
            looking = asyncio.create_task(self._found(run, revision, kept))
            self._looking[run, revision] = looking
            looking.add_done_callback(lambda task: self._end(run, revision, task))
        return await asyncio.shield(looking)

    def _hit(self) -> None:
        self.hits += 1
        self._looked_up("hit", None)

    async def _found(self, run: RunKey, revision: str, kept: _Kept | None) -> Ledger:
        began_s, result = time.monotonic(), "caught_up"
        ledger = await self._catch_up(run, kept.base, revision) if kept is not None else None
        if ledger is not None:
            self.caught_up += 1
        else:
            self.folds += 1
            result = "folded"
            ledger = await self._fold(run, revision)
            if ledger is None:
                raise RevisionNotFound(f"the history of run {run[0]!r} does not lead to revision {revision!r}")
        self._looked_up(result, time.monotonic() - began_s)
        self._keep(run, _new(ledger))
        return ledger

    def _end(self, run: RunKey, revision: str, task: "asyncio.Task[Ledger]") -> None:
        del self._looking[run, revision]
        if not task.cancelled():
            # Whoever asked for it may be gone by now.
            task.exception()

    def peek(self, run: RunKey) -> Ledger | None:
        """What is kept of a run; None: nothing."""
        kept = self._kept.get(run)
        return kept.ledger if kept is not None else None

    def kept_for(self, task: RestoreInput) -> Ledger | None:
        """The ledger at the end of the execution that another one continues; None: this worker has it not in memory."""
        if task.origin is None or not task.revision:
            return None
        ledger = self.peek((task.origin.workflow_id, task.origin.run_id))
        return ledger if ledger is not None and ledger.progress.revision == task.revision else None

    def begin(self, run: RunKey, entries: Sequence[Entry]) -> None:
        """Remember a run from its first entries on."""
        ledger = _with(Ledger(), entries)
        self._keep(run, _new(ledger))

    def record(self, run: RunKey, revision: str, entries: Sequence[Entry]) -> None:
        """Add what an activity that started from `revision` is about to report.

        Local calls side by side all start from one revision, and are recorded as they end.
        """
        kept = self._kept.get(run)
        if kept is None:
            return
        beside = kept.base.progress.revision == revision and all(isinstance(x, ToolDone) and x.local for x in entries)
        if kept.ledger.progress.revision != revision and not beside:
            return
        try:
            ledger = _with(kept.ledger, entries)
        except ValueError:
            # A late attempt of a call whose result has entered already: the history decides which one counts.
            self.forget(run)
            return
        messages = ledger.state.messages
        if any(map(_rewrites, entries)):
            kept.messages_bytes, kept.working = messages_bytes(messages), None
        else:
            kept.messages_bytes += messages_bytes(messages[len(kept.ledger.state.messages) :])
        kept.other_bytes = other_bytes(ledger)
        if not beside:
            kept.base, kept.beside = kept.ledger, {}
        kept.beside |= {entry.id: entry for entry in entries if isinstance(entry, ToolDone) and entry.local}
        kept.ledger = ledger
        self._weigh(run, kept)

    def lend(self, run: RunKey) -> WorkingMessages:
        """The messages of a run as users' code had them last; the caller's alone, until it gives them back."""
        kept = self._kept.get(run)
        if kept is None or kept.working is None:
            return WorkingMessages()
        working, kept.working = kept.working, None
        return working

    def give_back(self, run: RunKey, working: object) -> None:
        """Keep what was lent for the next activity, if it was."""
        kept = self._kept.get(run)
        if kept is not None and isinstance(working, WorkingMessages) and working:
            kept.working = working

    def forget(self, run: RunKey) -> None:
        """Drop a run."""
        kept = self._kept.pop(run, None)
        if kept is not None:
            self._total_bytes -= kept.counted_bytes

    def _keep(self, run: RunKey, kept: _Kept) -> None:
        self.forget(run)
        self._kept[run] = kept
        self._weigh(run, kept)

    def _weigh(self, run: RunKey, kept: _Kept) -> None:
        """Count what is kept of a run, the latest at work; what is too much is dropped, the oldest first."""
        self._kept.move_to_end(run)
        size_bytes = kept.memory_bytes
        if size_bytes > self._max_bytes and kept.working is not None:
            kept.working = None
            size_bytes = kept.memory_bytes
        self._total_bytes += size_bytes - kept.counted_bytes
        kept.counted_bytes = size_bytes
        if size_bytes > self._max_bytes:
            self.forget(run)
        while self._total_bytes > self._max_bytes:
            self.forget(next(iter(self._kept)))


class RevisionNotFound(RetryLater):
    """A history does not lead to the revision that an activity starts from, as this worker reads it.

    In a rolling upgrade another worker may know how it does: no attempt counts, and nothing is lost meanwhile.
    """

    def __init__(self, why: str) -> None:
        super().__init__(_OTHER_VERSION_S, why)


def _new(ledger: Ledger) -> _Kept:
    return _Kept(ledger, ledger, messages_bytes(ledger.state.messages), other_bytes(ledger))


def _rewrites(entry: Entry) -> bool:
    delta = entry.outcome.delta if isinstance(entry, StepDone | ToolDone) else None
    return isinstance(delta, StateDelta) and delta.rewrites


def _with(ledger: Ledger, entries: Sequence[Entry]) -> Ledger:
    for entry in entries:
        ledger, _ = apply(ledger, entry)
    return ledger
