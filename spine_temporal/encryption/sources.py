"""Keys from a file or an environment variable, noticed when they change."""

import logging
import os
import threading
from pathlib import Path

from spine_temporal.encryption.keys import KeyRing
from spine_temporal.errors import BadInput

_log = logging.getLogger(__name__)

type _Version = tuple[int, ...]


class KeyFile:
    """Keys in a file, `id:base64` on each line; the first writes. A file that changed is read again, at the next use.

    While it is gone, or half written, the keys that were read last stay in use, and a warning is logged.

    Raises:
        BadInput: at first use: the file cannot be read, or holds no keys.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self._ring: KeyRing | None = None
        self._version: _Version | None = None

    def __repr__(self) -> str:
        return f"KeyFile({str(self.path)!r})"

    def ring(self, *, anew: bool = False) -> KeyRing:
        """The keys in the file by now.

        Raises:
            BadInput: it cannot be read, or holds no keys, and never did.
        """
        with self._lock:
            version = self._version_there()
            if self._ring is None or anew or version != self._version:
                self._ring = self._read(version)
            return self._ring

    def _read(self, version: _Version | None) -> KeyRing:
        try:
            ring = KeyRing.parse(self._text(), f"key file {self.path}")
        except BadInput as error:
            if self._ring is None:
                raise
            if version != self._version:
                _log.warning("%s; the keys read before stay in use: mend the file", error)
            self._version = version
            return self._ring
        if self._ring is not None and ring != self._ring:
            _log.info("key file %s has changed: key %r writes, %d can read", self.path, ring.writing, len(ring.keys))
        self._version = version
        return ring

    def _text(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise BadInput(f"key file {self.path} cannot be read: {reason}; SPINE_TEMPORAL_KEY_FILE names it") from None

    def _version_there(self) -> _Version | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        # A secret that is mounted changes by a link to another file.
        return found.st_mtime_ns, found.st_size, found.st_ino


class KeyVariable:
    """Keys in an environment variable, `id:base64` with commas between; the first writes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._text: str | None = None
        self._ring: KeyRing | None = None

    def __repr__(self) -> str:
        return f"KeyVariable({self.name!r})"

    def ring(self, *, anew: bool = False) -> KeyRing:  # noqa: ARG002 - only this process itself can change it
        """The keys in the variable.

        Raises:
            BadInput: it is not set, or holds no keys.
        """
        text = os.environ.get(self.name, "")
        if self._ring is None or text != self._text:
            self._ring, self._text = KeyRing.parse(text, f"variable {self.name}"), text
        return self._ring
