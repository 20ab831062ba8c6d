"""The State that belongs to a head, from this worker's memory or from history."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from pydantic_core import to_json

from spine_temporal.journal.apply import apply
from spine_temporal.journal.entries import Entry
from spine_temporal.journal.ledger import Ledger

type RunKey = tuple[str, str]
"""Workflow id, run id."""
type Fold = Callable[[RunKey, str], Awaitable[Ledger]]
"""The ledger of a run at a head, from the beginning of its history."""
type CatchUp = Callable[[RunKey, Ledger, str], Awaitable[Ledger | None]]
"""An older ledger brought to a head from the end of the history; None: they are too far apart."""

_LEDGER_BYTES: Final = 2_000


@dataclass(slots=True)
class _Kept:
    ledger: Ledger
    size_bytes: int


class LedgerCache:
    """The ledgers of the runs this worker last worked for, bounded in bytes of what was said in them.

    Only an accelerator. A ledger is used when its head is the one an activity asks for, and the head names every
    outcome by its random id: an outcome that never reached the history, because another attempt was quicker, cannot
    be taken for the recorded one.
    """

    def __init__(self, fold: Fold, catch_up: CatchUp, *, max_bytes: int) -> None:
        self._fold = fold
        self._catch_up = catch_up
        self._max_bytes = max_bytes
        self._kept: OrderedDict[RunKey, _Kept] = OrderedDict()
        self._total_bytes = 0
        self.hits = 0
        self.folds = 0
        self.caught_up = 0

    async def at(self, run: RunKey, head: str) -> Ledger:
        """The ledger of `run` whose head is `head`.

        Raises:
            LookupError: the history does not lead to that head; this worker reads it otherwise than the one that
                scheduled the activity.
        """
        kept = self._kept.get(run)
        if kept is not None and kept.ledger.progress.head == head:
            self.hits += 1
            self._kept.move_to_end(run)
            return kept.ledger
        ledger = await self._catch_up(run, kept.ledger, head) if kept is not None else None
        if ledger is not None:
            self.caught_up += 1
        else:
            self.folds += 1
            ledger = await self._fold(run, head)
            if ledger.progress.head != head:
                raise LookupError(f"the history of run {run[0]!r} does not lead to {head!r}, where the activity starts")
        self._keep(run, ledger, len(to_json(ledger.state)))
        return ledger

    def peek(self, run: RunKey) -> Ledger | None:
        """What is kept of `run`."""
        kept = self._kept.get(run)
        return kept.ledger if kept is not None else None

    def begin(self, run: RunKey, entry: Entry, size_bytes: int) -> None:
        """Remember a run from its first entry on."""
        ledger, _ = apply(Ledger(), entry)
        self._keep(run, ledger, size_bytes)

    def record(self, run: RunKey, head: str, entry: Entry, size_bytes: int) -> None:
        """Add what an activity that started from `head` is about to report."""
        kept = self._kept.get(run)
        if kept is None or kept.ledger.progress.head != head:
            return
        try:
            ledger, _ = apply(kept.ledger, entry)
        except ValueError:
            # A late attempt of a call whose result has entered already: the history decides which one counts.
            self.forget(run)
            return
        self._keep(run, ledger, kept.size_bytes - _LEDGER_BYTES + size_bytes)

    def forget(self, run: RunKey) -> None:
        """Drop a run."""
        kept = self._kept.pop(run, None)
        if kept is not None:
            self._total_bytes -= kept.size_bytes

    def _keep(self, run: RunKey, ledger: Ledger, size_bytes: int) -> None:
        self.forget(run)
        kept = _Kept(ledger, size_bytes + _LEDGER_BYTES)
        if kept.size_bytes > self._max_bytes:
            return
        self._kept[run] = kept
        self._total_bytes += kept.size_bytes
        while self._total_bytes > self._max_bytes:
            oldest = next(iter(self._kept))
            self.forget(oldest)
