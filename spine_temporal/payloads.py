"""Wire models as Temporal payloads, whatever data converter the user's client has.

A `RawValue` passes every payload converter untouched and still goes through the client's codec, so encryption and
external storage hold for our payloads too, and no user has to configure a converter for us.
"""

from collections.abc import Sequence
from typing import Final

from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.converter import DataConverter

from spine_temporal.contracts.base import WireModel, dump, load, load_given
from spine_temporal.contracts.limits import MAX_PAYLOAD_BYTES

_JSON: Final = {"encoding": b"json/plain"}
# No codec makes a hundred times as much of anything.
_MEASURED_BYTES: Final = MAX_PAYLOAD_BYTES // 100


def pack(model: WireModel) -> RawValue:
    """`model` as one JSON payload."""
    return pack_bytes(dump(model))


def pack_bytes(data: bytes) -> RawValue:
    """JSON that is already written, as one payload."""
    return RawValue(Payload(metadata=_JSON, data=data))


async def sent_bytes(data: bytes, converter: DataConverter) -> int:
    """How many bytes a server gets of that JSON: what the client's codec makes of it; 0: it is stored elsewhere."""
    if converter.external_storage is not None:
        return 0
    if converter.payload_codec is None or len(data) < _MEASURED_BYTES:
        return len(data)
    return sum(each.ByteSize() for each in await converter.payload_codec.encode([pack_bytes(data).payload]))


def unpack[W: WireModel](type_: type[W], value: RawValue) -> W:
    """The model that a payload holds.

    Raises:
        pydantic.ValidationError: the payload is not JSON of that model.
    """
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
