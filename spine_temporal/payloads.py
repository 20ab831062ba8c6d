"""Wire models as Temporal payloads, whatever data converter the user's client has.

A `RawValue` passes every payload converter untouched and still goes through the client's codec, so encryption and
external storage hold for our payloads too, and no user has to configure a converter for us.
"""

from typing import Final

from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from spine_temporal.contracts.base import WireModel, dump, load

_JSON: Final = {"encoding": b"json/plain"}


def pack(model: WireModel) -> RawValue:
    """`model` as one JSON payload."""
    return pack_bytes(dump(model))


def pack_bytes(data: bytes) -> RawValue:
    """JSON that is already written, as one payload."""
    return RawValue(Payload(metadata=_JSON, data=data))


def unpack[W: WireModel](type_: type[W], value: RawValue) -> W:
    """The model that a payload holds.

    Raises:
        pydantic.ValidationError: the payload is not JSON of that model.
    """
    return load(type_, value.payload.data)
