"""A restored conversation in parts, each small enough for the server."""

import base64
import hashlib
import zlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from pydantic_core import to_json
from temporalio import activity
from temporalio.exceptions import ApplicationError

from spine_temporal.contracts import names
from spine_temporal.contracts.continuation import Restored, RestoreInput
from spine_temporal.journal.counters import Progress
from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.snapshot import dump_ledger, dump_progress

type RunKey = tuple[str, str]

# Up to this size it is left as it is: Temporal's UI shows it.
_READABLE_BYTES: Final = 32_000
# In base64 it is four thirds of that, should it not compress at all.
_PIECE_BYTES: Final = 1_300_000
_DIGEST_BYTES: Final = 8
# A stock server ends a run whose history has 50 MB (`limit.historySize.error`); the next messages need room, too.
_MOST_BYTES: Final = 32_000_000
# Conversations of several parts that are on their way at the same time.
_KEPT: Final = 2


class _Parts(NamedTuple):
    progress: dict[str, object]
    pieces: list[str]
    digest: str
    packed: bool

    @property
    def size_bytes(self) -> int:
        """What the pieces take in a history."""
        return sum(map(len, self.pieces))


@dataclass(slots=True)
class RestoredParts:
    """Cuts conversations into parts. One of several is kept until its last part is fetched: to make it takes long."""

    _kept: OrderedDict[RunKey, _Parts] = field(default_factory=OrderedDict)

    def kept(self, run: RunKey, id_: str, task: RestoreInput) -> Restored | None:
        """The part that `task` asks for, if the conversation that it belongs to is kept."""
        parts = self._kept.get(run)
        if parts is None or task.part == 0 or parts.digest != task.digest:
            return None
        return self._part(run, parts, id_, task.part)

    def of(self, ledger: Ledger, run: RunKey, id_: str, task: RestoreInput) -> Restored:
        """The part of the ledger that `task` asks for.

        A later part of another ledger than the one whose first part was fetched is none: it says that all has changed.

        Raises:
            ApplicationError: the conversation is too large for one history.
        """
        written = dump_ledger(ledger)
        digest = hashlib.blake2b(written, digest_size=_DIGEST_BYTES).hexdigest()
        if task.part and task.digest != digest:
            return Restored(id=id_, changed=True)
        progress = dump_progress(_for_the_workflow(ledger, same=task.same))
        packed = len(written) > _READABLE_BYTES
        raw = _pieces(written, first_bytes=max(1, _PIECE_BYTES - len(to_json(progress))))
        pieces = [base64.b64encode(zlib.compress(piece)).decode() if packed else piece.decode() for piece in raw]
        parts = _Parts(progress, pieces, digest, packed)
        if parts.size_bytes > _MOST_BYTES and activity.client().data_converter.external_storage is None:
            raise ApplicationError(
                f"the conversation cannot go on: it has {parts.size_bytes:,} bytes, compressed, and a history has room "
                f"for {_MOST_BYTES:,} beside what comes next; fork it from an earlier step, begin a new session, or "
                "keep large results elsewhere and name the place",
                type=names.CONVERSATION_LOST,
                non_retryable=True,
            )
        return self._part(run, parts, id_, task.part)

    def _part(self, run: RunKey, parts: _Parts, id_: str, part: int) -> Restored:
        self._kept.pop(run, None)
        if part < len(parts.pieces) - 1:
            self._kept[run] = parts
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return Restored(
            id=f"{id_} {part}" if part else id_,
            progress=None if part else parts.progress,
            ledger=parts.pieces[part],
            packed=parts.packed,
            parts=len(parts.pieces),
            size_bytes=parts.size_bytes,
            digest=parts.digest,
        )


def _pieces(written: bytes, *, first_bytes: int) -> list[bytes]:
    if len(written) <= _READABLE_BYTES:
        return [written]
    # Cut before it is compressed: two builds of zlib make different bytes of the same text.
    rest = range(first_bytes, len(written), _PIECE_BYTES)
    return [written[:first_bytes], *(written[start : start + _PIECE_BYTES] for start in rest)]


def _for_the_workflow(ledger: Ledger, *, same: bool) -> Progress:
    """What the workflow reads of the progress: it has its own calls, or begins another turn without any."""
    progress = ledger.progress
    if same:
        return Progress(last_text=progress.last_text, answer=progress.answer)
    return Progress(
        step=progress.step,
        depth=progress.depth,
        usage=progress.usage,
        unpriced_tokens=progress.unpriced_tokens,
        tenant_id=progress.tenant_id,
        last_text=progress.last_text,
        turn=progress.turn,
        last_turn=progress.last_turn,
        status_number=progress.status_number,
    )
