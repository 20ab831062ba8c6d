"""A put as signals, each small enough for the server."""

import math
import zlib
from collections.abc import Sequence
from typing import Final

from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from spine_temporal.contracts.checkpoint import CheckpointRecord
from spine_temporal.contracts.limits import MAX_PAYLOAD_BYTES
from spine_temporal.errors import InputTooLarge
from spine_temporal.payloads import pack, pack_bytes

type Signal = list[RawValue]
"""The arguments of one signal: a CheckpointRecord, and its body or a part of it."""

_BINARY: Final = {"encoding": b"binary/plain"}
# A body of up to this size is left as it is: Temporal's UI shows it.
_READABLE_BYTES: Final = 32_000
BESIDE_BYTES: Final = 4_000
"""Left for what is sent beside a body: the limit holds for both together, and a Put may name a workflow of 1,000
characters."""
_ROOM_BYTES: Final = MAX_PAYLOAD_BYTES - BESIDE_BYTES
# A history holds 50 MB; an uncommonly large put may come on top of what makes it be started anew.
_MAX_PARTS: Final = 15


def signals_of(put: CheckpointRecord, body: bytes, limit_bytes: int = MAX_PAYLOAD_BYTES) -> list[Signal]:
    """The signals that record `put`, in the order they are to be sent, each no larger than the limit.

    Raises:
        InputTooLarge: it would take more than a history holds.
    """
    packed = len(body) > _READABLE_BYTES
    data = zlib.compress(body) if packed else body
    room_bytes = min(_ROOM_BYTES, limit_bytes - BESIDE_BYTES)
    parts = math.ceil(len(data) / room_bytes)
    if parts > _MAX_PARTS:
        raise InputTooLarge(
            f"a put of {len(body):,} bytes, {len(data):,} compressed, does not fit into a Temporal history, which "
            f"takes {_MAX_PARTS * room_bytes:,}; keep files out of the conversation, say where they are"
        )
    return [
        [
            pack(put.model_copy(update={"packed": packed, "part": part, "parts": parts})),
            _body(data[part * room_bytes : (part + 1) * room_bytes], packed=packed),
        ]
        for part in range(parts)
    ]


def body_of(put: CheckpointRecord, parts: Sequence[bytes]) -> bytes:
    """The body of a put, from all its parts."""
    data = b"".join(parts)
    return zlib.decompress(data) if put.packed else data


def _body(data: bytes, *, packed: bool) -> RawValue:
    return RawValue(Payload(metadata=_BINARY, data=data)) if packed else pack_bytes(data)
