"""A short name for the arguments of a call."""

import json
from hashlib import blake2b
from typing import Any, Final

_BYTES: Final = 8


def digest_of(arguments: dict[str, Any]) -> str:
    """The same for equal arguments, whatever the order of their keys; another one when any value differs."""
    written = json.dumps(arguments, sort_keys=True, separators=(",", ":"), default=str)
    return blake2b(written.encode(), digest_size=_BYTES).hexdigest()
