"""Wire models as Temporal payloads, whatever data converter the user's client has.

A `RawValue` passes every payload converter untouched and still goes through the client's codec, so encryption and
external storage hold for our payloads too, and no user has to configure a converter for us.
"""

import base64
import json
import re
from collections.abc import Sequence
from typing import Final

from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.converter import DataConverter

from spine_temporal.contracts.base import WireModel, dump, load, load_given
from spine_temporal.errors import PayloadUnreadable

ENCRYPTED: Final = b"binary/encrypted"
"""The encoding of what our codec encrypts, and the codecs in Temporal's samples."""

_JSON_PLAIN: Final = b"json/plain"
_JSON: Final = {"encoding": _JSON_PLAIN}
_MARK: Final = "spine"
_UNDECODED: Final = b"undecoded"
_UNCOUNTED: Final = b"uncounted"
_ATTEMPTS: Final = re.compile(rb'\{"uncounted": \d{1,9}\}')
# What bytes may be in that no codec has changed.
_PLAIN: Final = frozenset({b"", b"json/plain", b"binary/null", b"binary/plain", b"json/protobuf", b"binary/protobuf"})


def pack(model: WireModel) -> RawValue:
    """`model` as one JSON payload."""
    return pack_bytes(dump(model))


def pack_bytes(data: bytes) -> RawValue:
    """JSON that is already written, as one payload."""
    payload = Payload(data=data)
    # Given to the constructor, it would cost three times as much: protobuf copies a dict in Python.
    payload.metadata["encoding"] = _JSON_PLAIN
    return RawValue(payload)


def pack_value(value: object) -> RawValue:
    """A value that JSON has, as one payload."""
    return pack_bytes(json.dumps(value).encode())


def is_plain(payload: Payload) -> bool:
    """Whether it is in a form that every data converter has, not in that of some codec."""
    return payload.metadata.get("encoding", b"") in _PLAIN


def encoding_of(payload: Payload) -> str:
    """What the payload says it is encoded as, for an error."""
    return repr(payload.metadata.get("encoding", b"").decode(errors="replace"))


def undecoded(payload: Payload, why: str) -> Payload:
    """A payload that says of another one why it could not be decoded, and holds it as it came."""
    held = {"why": why, "payload": base64.b64encode(payload.SerializeToString()).decode()}
    return Payload(metadata=_JSON | {_MARK: _UNDECODED}, data=json.dumps(held).encode())


def came_as(value: object) -> Payload | None:
    """The payload that an `undecoded` one holds, given the value that a data converter makes of that."""
    if not isinstance(value, dict) or value.keys() != {"why", "payload"}:
        return None
    return Payload.FromString(base64.b64decode(value["payload"]))


def uncounted(attempts: int) -> RawValue:
    """A heartbeat's detail, for workers with and without a codec: so many attempts are not to be counted."""
    return RawValue(Payload(metadata=_JSON | {_MARK: _UNCOUNTED}, data=json.dumps({"uncounted": attempts}).encode()))


def is_uncounted(payload: Payload) -> bool:
    """Whether it is such a detail; it holds a number and nothing else."""
    return payload.metadata.get(_MARK) == _UNCOUNTED and _ATTEMPTS.fullmatch(payload.data) is not None


def check_decoded(payload: Payload) -> None:
    """Look whether a payload has passed the codec that it was encoded with.

    Raises:
        PayloadUnreadable: it has not; whoever reads it has no codec, or not that one.
    """
    if payload.metadata.get(_MARK) == _UNDECODED:
        raise PayloadUnreadable(str(json.loads(payload.data)["why"]))
    if not is_plain(payload):
        raise PayloadUnreadable(
            f"a payload is encoded as {encoding_of(payload)}, and there is no codec here that reads it; set "
            "SPINE_TEMPORAL_KEYS or SPINE_TEMPORAL_KEY_FILE, or connect the client with the codec that wrote it"
        )


async def sent_bytes(data: bytes, converter: DataConverter) -> int:
    """How many bytes a server gets of that JSON: what the client's codec makes of it; 0: it is stored elsewhere.

    Raises:
        Exception: the codec does not work just now.
    """
    size_bytes = len(data)
    if converter.payload_codec is not None:
        encoded = await converter.payload_codec.encode([pack_bytes(data).payload])
        size_bytes = sum(each.ByteSize() for each in encoded)
    return 0 if converter.external_storage is not None else size_bytes


def unpack[W: WireModel](type_: type[W], value: RawValue) -> W:
    """The model that a payload holds.

    Raises:
        PayloadUnreadable: no codec has decoded it.
        pydantic.ValidationError: the payload is not JSON of that model.
    """
    check_decoded(value.payload)
    return load(type_, value.payload.data)


def unpack_given[W: WireModel](type_: type[W], values: Sequence[RawValue]) -> W:
    """The model that somebody has just sent as the one argument of a start, a signal or an update.

    Raises:
        ValueError: it is not one argument, not JSON of that model, or names a field that it does not know.
    """
    return load_given(type_, only(values).payload.data)


def only[V](values: Sequence[V]) -> V:
    """The one value of `values`.

    Raises:
        ValueError: there is another number of them.
    """
    if len(values) != 1:
        raise ValueError(f"it takes one argument; {len(values)} were given")
    return values[0]
