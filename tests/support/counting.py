"""Requests that a client sends, counted."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from temporalio.client import Client

_READING: Final = ("get_workflow_execution_history", "describe_workflow_execution")


@contextmanager
def counted(client: Client) -> Iterator[Counter[str]]:
    """The requests for history and status that are sent through that client meanwhile."""
    requests, service = Counter[str](), client.workflow_service
    with pytest.MonkeyPatch.context() as patch:
        for name in _READING:
            send = getattr(service, name)

            async def count(*args: Any, _name: str = name, _send: Any = send, **kwargs: Any) -> Any:
                requests[_name] += 1
                return await _send(*args, **kwargs)

            patch.setattr(service, name, count)
        yield requests
