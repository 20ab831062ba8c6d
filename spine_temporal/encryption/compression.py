"""Payloads made smaller before they are encrypted, with a bound on what they may unpack to."""

import zlib
from typing import Final

from spine_temporal.errors import PayloadUnreadable

MAX_UNPACKED_BYTES: Final = 16 * 1024 * 1024
"""Eight times what a server takes as one payload: more is no conversation, it is meant to fill a worker's memory."""

_AS_IT_IS: Final = b"\0"
# Not zstd: before Python 3.14 the standard library cannot read it, and workers of one fleet may differ.
_ZLIB: Final = b"\1"
# Shorter ones gain nothing worth the time.
_MIN_BYTES: Final = 256
# Measured on outcomes of steps: within a tenth of the size of zlib's default, in a third of its time.
_LEVEL: Final = 1


def packed(data: bytes) -> bytes:
    """`data` in fewer bytes where that is possible, behind one byte that says how."""
    if _MIN_BYTES <= len(data) <= MAX_UNPACKED_BYTES:
        smaller = zlib.compress(data, _LEVEL)
        if len(smaller) < len(data):
            return _ZLIB + smaller
    return _AS_IT_IS + data


def unpacked(data: bytes) -> bytes:
    """What was packed.

    Raises:
        PayloadUnreadable: it is not packed like that, or would unpack to more than `MAX_UNPACKED_BYTES`.
    """
    form, body = data[:1], data[1:]
    if form == _AS_IT_IS:
        return body
    if form != _ZLIB:
        raise PayloadUnreadable(
            f"a payload is packed in form {form!r}, which this version does not know; upgrade spine-temporal here"
        )
    inflating = zlib.decompressobj()
    try:
        inflated = inflating.decompress(body, MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise PayloadUnreadable(f"a payload cannot be unpacked: {error}; whoever wrote it had a fault") from None
    if not inflating.eof:
        raise PayloadUnreadable(
            f"a payload of {len(body):,} bytes unpacks to more than {MAX_UNPACKED_BYTES:,}, or is cut off: refused"
        )
    return inflated
