"""Spine's messages, tool calls and usage as a history holds them.

Defaults are left out, fields of subclasses are kept.

A provider may answer with a message of a class of its own, whose fields (a signature, say) it needs back at the next
step. They are written beside spine's. Whoever reads them gets an object of the same class if its process has loaded
that class by then, as a worker has whose provider made it; else a RecordedMessage, which has the fields as attributes.
No class is ever imported because a history names it.
"""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, PlainSerializer, PrivateAttr, ValidationError, WrapValidator
from pydantic_core import PydanticSerializationError
from spine_core import Message, Role, ToolCall, Usage

from spine_temporal.contracts.json_form import as_json

_SUBCLASS: Final = "subclass"
_TEXTS: Final = frozenset({str, Role})


class _OfAnotherClass(BaseModel):
    model_config = ConfigDict(extra="allow", defer_build=True)
    _class: str = PrivateAttr("")

    @property
    def recorded_class(self) -> str:
        """The class that it had, as module and name."""
        return self._class

    def of_class(self, name: str) -> Self:
        """The same, as one that had that class."""
        self._class = name
        return self


class RecordedMessage(_OfAnotherClass, Message):
    """A message of a class that this process has not loaded; its further fields are attributes."""


class RecordedToolCall(_OfAnotherClass, ToolCall):
    """A tool call of a class that this process has not loaded; its further fields are attributes."""


def _defaults(model: type[BaseModel]) -> dict[str, Any]:
    return {name: field.get_default(call_default_factory=True) for name, field in model.model_fields.items()}


_MESSAGE: Final = _defaults(Message)
_CALL: Final = _defaults(ToolCall)
_USAGE: Final = _defaults(Usage)


def write_message(message: Message) -> dict[str, Any]:
    """What is recorded of a message.

    Raises:
        ValueError: its class has a field that JSON cannot hold; the error names both.
    """
    return _written(message, Message, _MESSAGE)


def write_call(call: ToolCall) -> dict[str, Any]:
    """What is recorded of a tool call.

    Raises:
        ValueError: its class has a field that JSON cannot hold; the error names both.
    """
    return _written(call, ToolCall, _CALL)


def write_usage(usage: Usage) -> dict[str, Any]:
    """What is recorded of a usage; NaN and the infinities with it."""
    return {name: value for name, value in usage.__dict__.items() if name in _USAGE and value != _USAGE[name]}


def read_message(value: Any, message: Message) -> Message:
    """The message that `value` is, of which `message` has spine's own fields."""
    if not isinstance(value, dict):
        return message
    for at, call in enumerate(value.get("tool_calls", ())):
        if _SUBCLASS in call:
            message.tool_calls[at] = read_call(call, message.tool_calls[at])
    return _read(value[_SUBCLASS], message, Message, RecordedMessage) if _SUBCLASS in value else message


def read_call(value: Any, call: ToolCall) -> ToolCall:
    """The tool call that `value` is, of which `call` has spine's own fields."""
    if not isinstance(value, dict) or _SUBCLASS not in value:
        return call
    return _read(value[_SUBCLASS], call, ToolCall, RecordedToolCall)


def _written(model: BaseModel, base: type[BaseModel], defaults: dict[str, Any]) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for name, value in model.__dict__.items():
        if name not in defaults or value == defaults[name]:
            continue
        if name == "tool_calls":
            written[name] = [write_call(each) if isinstance(each, ToolCall) else as_json(each) for each in value]
        else:
            written[name] = str(value) if type(value) in _TEXTS else as_json(value)
    if type(model) is not base and (fields := _further_fields(model, defaults)):
        written[_SUBCLASS] = {"class": _name_of(model), "fields": fields}
    return written


def _further_fields(model: BaseModel, known: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in (*model.__dict__.items(), *(model.__pydantic_extra__ or {}).items()):
        if name in known:
            continue
        try:
            fields[name] = as_json(value)
        except (PydanticSerializationError, ValueError) as error:
            raise ValueError(f"field {name!r} of {_name_of(model)} cannot be written as JSON: {error}") from None
    return fields


def _name_of(model: BaseModel) -> str:
    if isinstance(model, _OfAnotherClass):
        return model.recorded_class
    return _path(type(model))


def _path(class_: type) -> str:
    return f"{class_.__module__}.{class_.__qualname__}"


def _read[M: BaseModel](written: dict[str, Any], model: M, base: type[M], recorded: Callable[..., Any]) -> M:
    name, fields = str(written.get("class")), dict(written.get("fields", {}))
    for class_ in _loaded(base):
        if _path(class_) == name:
            try:
                return class_.model_validate(model.__dict__ | fields)
            except (ValidationError, ValueError, TypeError):
                # Another version of the class, which has no such fields any more.
                break
    found: M = recorded(**model.__dict__, **fields).of_class(name)
    return found


def _loaded[M: BaseModel](base: type[M]) -> Iterator[type[M]]:
    """The subclasses that this process has, the latest first."""
    for each in reversed(base.__subclasses__()):
        yield each
        yield from _loaded(each)


def _message(value: Any, handler: Callable[[Any], Message]) -> Message:
    return read_message(value, handler(value))


def _call(value: Any, handler: Callable[[Any], ToolCall]) -> ToolCall:
    return read_call(value, handler(value))


AnyMessage = Annotated[Message, PlainSerializer(write_message), WrapValidator(_message)]
"""A message, be it of a subclass."""
AnyToolCall = Annotated[ToolCall, PlainSerializer(write_call), WrapValidator(_call)]
"""A tool call, be it of a subclass."""
AnyUsage = Annotated[Usage, PlainSerializer(write_usage)]
"""A usage, be its cost no number."""
