"""What an error has of secrets in its text reaches neither the Result, nor the model, nor a history."""

from typing import Any

import httpx
import pytest
from spine_core import Agent, Message, ModelResponse, StopReason, tool
from spine_core.testing import ScriptedProvider, calls, text

from spine_temporal.contracts.policies import ActivityPolicy
from tests.features.providers.test_secrets import leaks
from tests.support.harness import ONLY_NORMAL, Durable, histories_of

pytestmark = [pytest.mark.durable, ONLY_NORMAL]

SECRET = "hunter2-9c1f"
URL = f"https://example.com/v1/models?key={SECRET}"


class Keyed:
    """A provider that gives its key in the URL."""

    def __init__(self, status: int) -> None:
        self._response = httpx.Response(status, request=httpx.Request("POST", URL))

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        self._response.raise_for_status()
        return text("never")


@pytest.mark.parametrize("status", [403, 503])
async def test_the_key_in_the_url_of_a_providers_error_is_masked(durable: Durable, status: int) -> None:
    served = durable(Agent(Keyed(status)), step_policy=ActivityPolicy(attempts=2, retry_first_s=0.01))

    result = await served.run("go")

    assert result.stopped_reason is StopReason.ERROR
    assert f"'{status} " in str(result.error)
    assert "https://example.com/v1/models?key=***" in str(result.error)
    assert leaks(await histories_of(durable.client, served.runs[0]), SECRET) == []


async def test_the_key_in_a_tools_error_does_not_reach_the_model(durable: Durable) -> None:
    @tool
    async def look() -> str:
        """Look."""
        raise RuntimeError(f"cannot reach {URL}")

    served = durable(Agent(ScriptedProvider(calls(("look", {})), text("done")), tools=[look]))

    result = await served.run("go")

    assert [message.content for message in result.state.messages if message.role == "tool"] == [
        "Error executing tool 'look': cannot reach https://example.com/v1/models?key=***"
    ]
    assert leaks(await histories_of(durable.client, served.runs[0]), SECRET) == []
