"""Any value as the JSON that a history holds."""

from typing import Annotated, Any, Final

from pydantic import PlainSerializer
from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


def json_form(value: Any) -> Any:
    """`value` made of what JSON has, and of text that can be written; models with all their fields.

    NaN and the infinities stay; half of a surrogate pair, which no encoding has, becomes U+FFFD.

    Raises:
        pydantic_core.PydanticSerializationError: JSON has nothing for it.
    """
    plain = as_json(value)
    try:
        to_json(plain)
    except PydanticSerializationError:
        return _readable(plain)
    return plain


def as_json(value: Any) -> Any:
    """`value` made of what JSON has, with its text as it is; models with all their fields.

    Raises:
        pydantic_core.PydanticSerializationError: JSON has nothing for it.
    """
    try:
        return to_jsonable_python(value)
    except UnicodeEncodeError:
        # Of text, it looks at keys only.
        return to_jsonable_python(_readable(value))


def json_bytes(plain: Any) -> bytes:
    """The JSON of what is made of dicts, lists and the like; text in it is made readable, as in `readable`."""
    try:
        return to_json(plain, inf_nan_mode="constants")
    except PydanticSerializationError:
        return to_json(_readable(plain), inf_nan_mode="constants")


def readable(text: str) -> str:
    """`text` as UTF-8 can hold it: each half of a surrogate pair that stands alone becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        # Through UTF-16, in which two halves that stand together are the one character they mean.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _readable(value: Any) -> Any:
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, dict):
        return {_readable(key): _readable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_readable(each) for each in value]
    return value


type AnyJson = Annotated[Any, PlainSerializer(as_json)]
"""What people and programs give: a model in it is written with all its fields, defaults and all."""
