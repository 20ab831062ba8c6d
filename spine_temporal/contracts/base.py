"""One JSON form for every model that crosses the wire."""

from typing import Any, Final, TypeGuard

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticSerializationError

from spine_temporal.contracts.json_form import json_bytes

LONGEST_S: Final = 10 * 365 * 24 * 3600.0
"""The longest time that may be asked for, ten years: a server holds it, and so does a `timedelta`."""


MIN_TOKENS_EVERY_S: Final = 0.02
"""Nobody reads faster, and each time is a request to the server."""


def is_time(value: object) -> TypeGuard[float]:
    """Whether `value` is a number of seconds above 0 and up to `LONGEST_S`."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= LONGEST_S


def problem_in(error: ValueError) -> str:
    """What is wrong with something that was given, in one line that does not repeat it: it may be a secret."""
    if not isinstance(error, ValidationError):
        return " ".join(str(error).split())
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())


RECORDED: Final = {"recorded": True}
"""The validation context of what a history holds: fields that a later version added are passed over at every depth."""


class WireModel(BaseModel):
    """Base of every wire model: frozen; fields it does not know are ignored, so that models can grow.

    A field whose value is its default is left out of the JSON. A default is therefore part of the format: it may
    never change. NaN and the infinities are written as the words that Python's own JSON uses.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="constants", defer_build=True)


class GivenModel(WireModel):
    """Base of what people and programs build or type by hand: a field it does not know is an error, never ignored.

    Read by `load_given`, that is: once it is recorded, a later version's field in it is as any other's.

    That a field was named may mean something, be its value the default: in JSON it stands, wherever the model does.
    """

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _as_recorded(cls, data: Any, info: ValidationInfo) -> Any:
        if info.context is not RECORDED or not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if name in cls.model_fields}

    @model_serializer(mode="wrap")
    def _as_given(self, write: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        if not info.exclude_defaults:
            return written
        left_out = {name: getattr(self, name) for name in self.model_fields_set - written.keys()}
        return {**written, **left_out}


class Basis(WireModel):
    """What the workflow had applied to its progress when it wrote this record.

    A reader meets facts in the order of the history, the workflow applied them in its own; a record says which, so
    that nobody has to re-enact races.
    """

    revision: str = ""
    """Of the progress; the State that belongs to it is looked up, or folded."""
    order: tuple[str, ...] = ()
    """Ids of the entries that were applied since the record before this one, if there were several."""


def dump(model: WireModel) -> bytes:
    """The JSON of `model`, as it is written into a history.

    Text that UTF-8 cannot hold is made readable, whoever it comes from: a call that was made, or paid for, is not lost.

    Raises:
        pydantic_core.PydanticSerializationError: something in it is nothing that JSON has.
    """
    try:
        return model.model_dump_json(exclude_defaults=True).encode()
    except PydanticSerializationError:
        return json_bytes(model.model_dump(mode="json", exclude_defaults=True))


def load[W: WireModel](type_: type[W], data: bytes) -> W:
    """The recorded model that `data` holds; fields that a later version added are ignored at every depth.

    Raises:
        pydantic.ValidationError: `data` is not JSON of that model.
    """
    return type_.model_validate_json(data, context=RECORDED)


def load_given[W: WireModel](type_: type[W], data: bytes) -> W:
    """The model that `data` holds, which somebody has just sent.

    Raises:
        pydantic.ValidationError: `data` is not JSON of that model, or names a field that it does not know.
    """
    return type_.model_validate_json(data)
