"""A key by which the other side of an effect can tell that it is asked again."""

import uuid
from contextvars import ContextVar
from hashlib import blake2b
from typing import Any, Final

from spine_temporal.journal.digest import digest_of

_BYTES: Final = 16

_key: ContextVar[str | None] = ContextVar("spine_temporal_idempotency_key", default=None)


def idempotency_key() -> str:
    """The key of the tool call that runs, 32 hexadecimal digits, for a service that does a thing once per key.

    It is the same in each attempt of the call, on whichever worker, also where the run has continued as new, and for
    the same call with the same arguments after a reset. Each other call has another one. Arguments that a person has
    edited make another key; what a hook does to them does not. Tools and the hooks around them may ask, from threads
    and tasks of theirs, too. Where no durable run is at work, as on the plain kernel, it is random: there a call is
    made once.
    """
    return _key.get() or uuid.uuid4().hex


def key_of(place: str, name: str, arguments: dict[str, Any]) -> str:
    """The key of the call at that place."""
    return blake2b(f"{place}/{name}/{digest_of(arguments)}".encode(), digest_size=_BYTES).hexdigest()


class Keyed:
    """While the body runs, `key` is the one that tools get."""

    def __init__(self, key: str) -> None:
        self._of_call = key

    def __enter__(self) -> None:
        self._token = _key.set(self._of_call)

    def __exit__(self, *_: object) -> None:
        _key.reset(self._token)
