"""An adapter whose SDK tries nothing again: this fails when spinekit keeps its SDKs otherwise."""

from typing import Any

import anthropic
import openai
import pytest
from spine_core.testing import ScriptedProvider
from spine_providers.anthropic import AnthropicProvider
from spine_providers.openai import OpenAIProvider

from spine_temporal.kernel.vendor_sdks import asking_once

ADAPTERS = [
    lambda client: OpenAIProvider("gpt-4o-mini", client=client, api_key="k"),
    lambda client: AnthropicProvider("claude-haiku-4-5", client=client, api_key="k"),
]
CLIENTS = [
    lambda **options: openai.AsyncOpenAI(api_key="k", **options),
    lambda **options: anthropic.AsyncAnthropic(api_key="k", **options),
]
PAIRS = list(zip(ADAPTERS, CLIENTS, strict=True))


@pytest.mark.parametrize("own", [False, True], ids=["made by the adapter", "given"])
@pytest.mark.parametrize(("adapter", "client"), PAIRS, ids=["openai", "anthropic"])
def test_the_sdk_sends_a_request_once_and_whoever_holds_the_adapter_keeps_it(
    adapter: Any, client: Any, *, own: bool
) -> None:
    provider = adapter(client(max_retries=5) if own else None)

    quiet = asking_once(provider)

    assert (type(quiet), quiet.model) == (type(provider), provider.model)
    assert quiet._client.max_retries == 0
    assert provider._client.max_retries == (5 if own else 2)
    assert asking_once(provider) is quiet
    provider._client = client(max_retries=1)
    assert asking_once(provider) is not quiet


@pytest.mark.parametrize(("adapter", "client"), PAIRS, ids=["openai", "anthropic"])
def test_who_asks_once_already_is_left_alone(adapter: Any, client: Any) -> None:
    for provider in (adapter(client(max_retries=0)), adapter(object())):
        assert asking_once(provider) is provider


def test_so_is_any_other_provider() -> None:
    class Own(OpenAIProvider):
        """With a state of its own, maybe."""

    for provider in (ScriptedProvider(), Own("gpt-4o-mini", api_key="k")):
        assert asking_once(provider) is provider
