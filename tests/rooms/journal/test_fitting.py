"""Arguments that a person wrote, against the schema of the tool."""

from typing import Any

import pytest
from pydantic import BaseModel
from spine_core import Tool, tool

from spine_temporal.journal.tool_schema import schema_error


class Address(BaseModel):
    """Where to."""

    city: str
    number: int = 1


@tool
async def send(to: Address, weight: float, tags: list[str] | None = None) -> str:
    """Send."""
    return ""


assert isinstance(send, Tool)
SENT = {"to": {"city": "Bergen"}, "weight": 1}
OPEN: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": True}
PATTERN: dict[str, Any] = {"properties": {}, "patternProperties": {"^x": {"type": "string"}}}


@pytest.mark.parametrize(
    ("arguments", "parameters", "wrong"),
    [
        (SENT, send.parameters, None),
        ({**SENT, "tags": None}, send.parameters, None),
        ({**SENT, "to": {"city": 7}}, send.parameters, "to.city: 7 is not of type 'string'"),
        ({**SENT, "to": {}}, send.parameters, "to: 'city' is a required property"),
        ({**SENT, "weight": True}, send.parameters, "weight: True is not of type 'number'"),
        ({"weight": 1.5}, send.parameters, "'to' is a required property"),
        ({**SENT, "wieght": 2}, send.parameters, "it has no 'wieght'; it has: to, weight, tags"),
        ({"a": 1, "b": 2}, OPEN, None),
        ({"a": "x"}, OPEN, "a: 'x' is not of type 'integer'"),
        ({"xy": "1"}, PATTERN, None),
        ({"xy": 1}, PATTERN, None),
        ({"anything": 1}, {}, None),
        ({"anything": 1}, {"type": "object", "properties": {}}, "it has no 'anything'; it has: none"),
    ],
)
def test_what_does_not_fit_is_named(arguments: dict[str, Any], parameters: dict[str, Any], wrong: str | None) -> None:
    assert schema_error(arguments, parameters) == wrong


@pytest.mark.parametrize(
    "parameters",
    [
        {"properties": {"a": {"type": "no such type"}}},
        {"properties": {"a": {"$ref": "https://example.invalid/schema.json"}}},
        {"properties": {"a": {"$ref": "#/$defs/nowhere"}}},
        {"properties": {"a": {"pattern": "("}}},
        {"properties": "none"},
    ],
    ids=["type", "url", "nowhere", "pattern", "properties"],
)
def test_a_schema_that_cannot_be_checked_lets_everything_pass(parameters: dict[str, Any]) -> None:
    assert schema_error({"a": "x"}, parameters) is None


def test_a_schema_that_refers_to_itself_is_checked() -> None:
    tree = {"properties": {"kids": {"type": "array", "items": {"$ref": "#"}}}}

    assert schema_error({"kids": [{"kids": []}]}, tree) is None
    assert schema_error({"kids": [{"kids": 1}]}, tree) == "kids[0].kids: 1 is not of type 'array'"


def test_a_schema_that_refers_to_itself_for_ever_lets_everything_pass() -> None:
    assert schema_error({"a": 1}, {"properties": {"a": {"$ref": "#/properties/a"}}}) is None


@pytest.mark.timeout(20)
def test_a_pattern_that_takes_for_ever_is_left_to_the_tool() -> None:
    nasty = "^(a+)+$"
    parameters = {
        "type": "object",
        "properties": {"name": {"type": "string", "pattern": nasty}, "more": {"type": "integer"}},
        "patternProperties": {nasty: {"type": "string"}},
        "additionalProperties": False,
    }
    endless = "a" * 60 + "!"

    assert schema_error({"name": endless}, parameters) is None
    assert schema_error({endless: "x"}, parameters) is None
    assert schema_error({"more": "one"}, parameters) is not None
