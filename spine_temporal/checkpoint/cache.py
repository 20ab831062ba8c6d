"""The sessions that a store worked on last."""

from collections import OrderedDict
from threading import Lock

from spine_temporal.checkpoint.session import Stored


class Recent:
    """Remembers sessions as they were last stored, the latest of them, up to `max_bytes` of what was put.

    Only an accelerator: what is not remembered is read. Threads may share it.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[str, Stored] = OrderedDict()
        self._total_bytes = 0
        self._lock = Lock()

    def get(self, session_id: str) -> Stored | None:
        """The session, if it is remembered."""
        with self._lock:
            stored = self._kept.get(session_id)
            if stored is not None:
                self._kept.move_to_end(session_id)
            return stored

    def keep(self, session_id: str, stored: Stored) -> None:
        """Remember the session as it is now."""
        with self._lock:
            self._forget(session_id)
            self._kept[session_id] = stored
            self._total_bytes += _weight(stored)
            while self._total_bytes > self._max_bytes:
                self._forget(next(iter(self._kept)))

    def forget(self, session_id: str) -> None:
        """Forget the session."""
        with self._lock:
            self._forget(session_id)

    def _forget(self, session_id: str) -> None:
        stored = self._kept.pop(session_id, None)
        if stored is not None:
            self._total_bytes -= _weight(stored)


def _weight(stored: Stored) -> int:
    return stored.whole_bytes + stored.grown_bytes
