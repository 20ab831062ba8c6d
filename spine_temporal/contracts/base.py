"""One JSON form for every model that crosses the wire."""

from pydantic import BaseModel, ConfigDict


class WireModel(BaseModel):
    """Base of every wire model: frozen; fields it does not know are ignored, so that models can grow.

    A field whose value is its default is left out of the JSON. A default is therefore part of the format: it may
    never change.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")


def dump(model: WireModel) -> bytes:
    """The JSON of `model`, as it is written into a history."""
    return model.model_dump_json(exclude_defaults=True).encode()


def load[W: WireModel](type_: type[W], data: bytes) -> W:
    """The model that `data` holds.

    Raises:
        pydantic.ValidationError: `data` is not JSON of that model.
    """
    return type_.model_validate_json(data)
