"""Queries that no value can break."""

import pytest

from spine_temporal.connection.visibility import equals, starts_with


@pytest.mark.parametrize(
    ("value", "condition"),
    [
        ("clerk", "SpineAgent = 'clerk'"),
        ("it's", "SpineAgent = 'it''s'"),
        ("' OR WorkflowId = 'x", "SpineAgent = ''' OR WorkflowId = ''x'"),
        ('a"b', None),
        ("a\\b", None),
    ],
)
def test_a_value_is_escaped_or_cannot_be_asked_for(value: str, condition: str | None) -> None:
    assert equals("SpineAgent", value) == condition


def test_of_what_cannot_be_asked_for_the_beginning_is() -> None:
    assert starts_with("WorkflowId", "it's\\here") == "WorkflowId STARTS_WITH 'it''s'"
