"""Arguments as they were sent: what cannot be read is refused, and fails no workflow task."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, cast

from temporalio import workflow
from temporalio.common import RawValue

from spine_temporal.contracts.base import RECORDED, WireModel, load, load_given
from spine_temporal.payloads import check_decoded, is_plain, only


def any_arguments[F: Callable[..., Any]](handler: F) -> F:
    """A method of `*values`, given one argument as a RawValue; another number of them as the client's converter does.

    The SDK decodes what is declared, before our code is reached: what cannot be decoded, and another number than was
    declared, would fail the workflow's task, again and again. So it is shown one parameter.
    """
    shown = cast("Any", handler)
    itself, *_ = inspect.signature(handler).parameters.values()
    value = inspect.Parameter("value", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=RawValue)
    shown.__signature__ = inspect.Signature([itself, value])
    shown.__annotations__ = {**handler.__annotations__, "value": RawValue}
    return handler


def only_argument[W: WireModel](type_: type[W], values: Sequence[Any], *, strict: bool = False) -> W:
    """The one argument, as a model; `strict`: it may not name a field that the model does not know.

    Raises:
        ValueError: it is nothing of that kind, or there is another number of them.
    """
    value = only(values)
    if not isinstance(value, RawValue):
        return type_.model_validate(value, context=None if strict else RECORDED)
    return (load_given if strict else load)(type_, value.payload.data)


def only_plain_argument[W: WireModel](type_: type[W], values: Sequence[Any], *, strict: bool = False) -> W:
    """The same of a start. What only another worker's codec can decode is left to that one: this one's task fails.

    Raises:
        ValueError: it is nothing of that kind, or there is another number of them.
        PayloadUnreadable: another worker's codec may be able to decode it.
    """
    match values:
        case [RawValue() as value] if not is_plain(value.payload):
            try:
                values = [workflow.payload_converter().from_payload(value.payload)]
            except (LookupError, RuntimeError):
                check_decoded(value.payload)
                raise
    return only_argument(type_, values, strict=strict)
