"""The sizes that a Temporal server accepts."""

from typing import Final

MAX_PAYLOAD_BYTES: Final = 2_000_000
"""The largest payload we hand to the SDK. The server's own default is 2 MiB (`limit.blobSize.error`), all included."""
