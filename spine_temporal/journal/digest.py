"""A short name for the arguments of a call."""

import json
from hashlib import blake2b
from typing import Any, Final

_BYTES: Final = 8
_sorted: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str)


def digest_of(arguments: dict[str, Any]) -> str:
    """The same for equal arguments, whatever the order of their keys; another one when any value differs."""
    return blake2b(_sorted.encode(arguments).encode(), digest_size=_BYTES).hexdigest()
