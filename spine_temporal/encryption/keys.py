"""Keys with their ids: one that writes, as many as are needed that read."""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol, Self

from spine_temporal.errors import BadInput

KEY_BYTES: Final = 32
"""AES-256."""

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_COMMENT: Final = re.compile(r"#.*")


class KeySource(Protocol):
    """Where the codec has its keys from, each time that it needs one."""

    def ring(self, *, anew: bool = False) -> "KeyRing":
        """The keys by now. `anew`: one was missing, so they are read again, whether or not they seem to have changed.

        Raises:
            BadInput: there are none that could be used, and there never were.
        """


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by id; `writing` names the one that encrypts. They are in no text that is made of it."""

    writing: str
    keys: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def parse(cls, text: str, where: str) -> Self:
        """The keys that a text names as `id:base64`, one a line or with commas between; the first of them writes.

        What follows a # on a line is a comment. `where` says in an error where the text is from; no error quotes it.

        Raises:
            BadInput: it holds no key, one that is none of AES-256, or two with one id.
        """
        keys: dict[str, bytes] = {}
        for number, line in enumerate(text.splitlines(), 1):
            for entry in filter(None, map(str.strip, _COMMENT.sub("", line).split(","))):
                id_, _, written = entry.partition(":")
                if _ID.fullmatch(id_) is None:
                    raise BadInput(f"{where}, line {number}: a key is written id:base64; {_HOW}")
                if id_ in keys:
                    raise BadInput(f"{where}, line {number}: key {id_!r} is there twice; give the new one a new id")
                keys[id_] = _key(written, f"{where}, line {number}: key {id_!r}")
        if not keys:
            raise BadInput(f"{where} holds no key; {_HOW}")
        return cls(next(iter(keys)), keys)

    def ring(self, *, anew: bool = False) -> Self:  # noqa: ARG002 - it does not change
        """The keys themselves: a ring is a source that never changes."""
        return self


_HOW: Final = "`spine-temporal key new` makes one"


def new_key(id_: str | None = None) -> str:
    """A new random key with its id, as a key file has it; without an id of its own it is named by today's date.

    Raises:
        BadInput: the id has other characters than letters, digits, dots, dashes and underscores, or over 64 of them.
    """
    named = id_ or f"{datetime.now(UTC):%Y-%m-%d}-{secrets.token_hex(2)}"
    if _ID.fullmatch(named) is None:
        raise BadInput(f"{named!r} is no id of a key: letters, digits, dots, dashes and underscores, 64 at the most")
    return f"{named}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


def _key(written: str, which: str) -> bytes:
    try:
        key = base64.b64decode(written.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        # Its length only: an error may be logged.
        raise BadInput(
            f"{which} is not {KEY_BYTES} bytes in base64 ({len(written)} characters); is the text cut off? {_HOW}"
        )
    return key
