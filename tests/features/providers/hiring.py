"""Agents that run on a vendor's model."""

from dataclasses import dataclass
from typing import Any, Final

import anthropic
import openai
from spine_core import Agent, ModelResponse
from spine_core.provider import StreamChunk
from spine_providers.anthropic import AnthropicProvider
from spine_providers.openai import OpenAIProvider

from spine_temporal import ActivityPolicy
from tests.support.agents_at_hand import add
from tests.support.services.anthropic_api import AnthropicDialect
from tests.support.services.model_apis import ModelApi
from tests.support.services.openai_api import OpenAIDialect

type Adapter = OpenAIProvider | AnthropicProvider

TWICE: Final = ActivityPolicy(attempts=2, retry_first_s=0.01)
ONLY_IF_TOLD: Final = ActivityPolicy(attempts=2, retry_first_s=1e6, retry_longest_s=1e6)
"""By itself the second attempt comes after eleven days: whoever sees it has seen a Retry-After at work."""


@dataclass(frozen=True)
class Vendor:
    """A vendor: its API, how its SDK finds it."""

    name: str
    model: str
    api: ModelApi
    key_variable: str
    url_variable: str
    other_variables: tuple[str, ...]

    def adapter(self, *, api_key: str | None = None, sdk_retries: int | None = None) -> Adapter:
        """The adapter, on an SDK as it comes or on one that tries again `sdk_retries` times by itself."""
        client: Any = None
        if self.name == "openai":
            if sdk_retries is not None:
                client = openai.AsyncOpenAI(max_retries=sdk_retries)
            return OpenAIProvider(self.model, client=client, api_key=api_key)
        if sdk_retries is not None:
            client = anthropic.AsyncAnthropic(max_retries=sdk_retries)
        return AnthropicProvider(self.model, client=client, api_key=api_key)


OPENAI: Final = Vendor(
    name="openai",
    model="gpt-4o-mini",
    api=ModelApi(OpenAIDialect(), key="sk-proj-Wq8ZrT3nYk5LxV0s"),
    key_variable="OPENAI_API_KEY",
    url_variable="OPENAI_BASE_URL",
    other_variables=("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_CUSTOM_HEADERS"),
)
ANTHROPIC: Final = Vendor(
    name="anthropic",
    model="claude-haiku-4-5",
    api=ModelApi(AnthropicDialect(), key="sk-ant-Hc7JmP2bUe9GfD4o"),
    key_variable="ANTHROPIC_API_KEY",
    url_variable="ANTHROPIC_BASE_URL",
    other_variables=("ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_CUSTOM_HEADERS"),
)
VENDORS: Final = (OPENAI, ANTHROPIC)


class Agency:
    """Makes agents that can add, each with an adapter of its own."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._adapters: list[Any] = []

    def agent(self) -> Agent:
        """As most people write it: `Agent("openai:gpt-4o-mini")`."""
        return self._hired(f"{self._vendor.name}:{self._vendor.model}")

    def impatient(self) -> Agent:
        """Its SDK leaves every second try to others."""
        return self._hired(self.adapter(sdk_retries=0))

    def knowing(self, api_key: str) -> Agent:
        """It was given a key, which need not be in the environment."""
        return self._hired(self.adapter(api_key=api_key))

    def adapter(self, **options: Any) -> Adapter:
        adapter = self._vendor.adapter(**options)
        self._adapters.append(adapter)
        return adapter

    def _hired(self, provider: Any) -> Agent:
        agent = Agent(provider, tools=[add], system="You add numbers.", name="clerk")
        self._adapters.append(agent.provider)
        return agent

    async def close(self) -> None:
        for adapter in self._adapters:
            if adapter._client is not None:
                await adapter._client.close()


async def streamed(adapter: Adapter, *request: Any) -> tuple[list[str], ModelResponse | None]:
    """What the adapter streams: the pieces of text, then the whole response."""
    chunks: list[StreamChunk] = [chunk async for chunk in adapter.stream(*request)]
    return [chunk.delta for chunk in chunks[:-1]], chunks[-1].response
