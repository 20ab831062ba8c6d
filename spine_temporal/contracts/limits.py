"""The sizes that a Temporal server accepts."""

from typing import Final

_STOCK_BYTES: Final = 2 * 1024 * 1024

MAX_PAYLOAD_BYTES: Final = 2_000_000
"""The largest payload we hand to a stock server. Its own limit is 2 MiB (`limit.blobSize.error`), all included."""

MAX_LOCAL_RESULT_BYTES: Final = 256 * 1024
"""The largest outcome of a local activity: it is sent with all else of its workflow task, in one message of 4 MB."""


def within(limit_bytes: int) -> int:
    """The largest payload for a server whose limit is that, with room for what stands around it; 0: it did not say."""
    return limit_bytes * MAX_PAYLOAD_BYTES // _STOCK_BYTES if limit_bytes > 0 else MAX_PAYLOAD_BYTES
