"""What a lost connection to an MCP server says of why."""

import asyncio

from spine_temporal.mcp.connection import _cause, _said


def test_the_error_is_told_not_the_tasks_that_were_cancelled_because_of_it() -> None:
    refused = ConnectionRefusedError("nobody listens there")
    cancelled = asyncio.CancelledError("Cancelled via cancel scope 7f33")
    group = BaseExceptionGroup("", [cancelled, BaseExceptionGroup("", [cancelled, refused])])

    assert _cause(group) is refused
    assert _said(_cause(BaseExceptionGroup("", [cancelled]))) == "the connection was cut off"
    assert _said(None) == "it closed the connection"
