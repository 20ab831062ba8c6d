"""The provider of an agent that was made before its worker."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from spine_core import Message, ModelResponse, Provider
from spine_core.provider import StreamChunk, StreamingProvider


class DeferredProvider:
    """A provider whose plugin is imported when it is first needed, by when it is known which plugins are allowed.

    A worker replaces it by the provider itself when it is given the agent; an agent that runs without a worker keeps
    it. Whatever else it is asked for, it answers as the provider does.
    """

    def __init__(self, spec: str, make: Callable[[], Provider]) -> None:
        self._spec = spec
        self._make = make
        self._made: Provider | None = None

    def __repr__(self) -> str:
        return f"DeferredProvider({self._spec!r})"

    def __getattr__(self, name: str) -> Any:
        # Copying and pickling ask an object without attributes.
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.provider(), name)

    def provider(self) -> Provider:
        """The provider itself, made once.

        Raises:
            PluginUnusable: its plugin is missing, is not allowed, or does not fit.
        """
        if self._made is None:
            self._made = self._make()
        return self._made

    async def complete(
        self, messages: list[Message], tools: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> ModelResponse:
        """What the provider answers."""
        return await self.provider().complete(messages, tools, **kwargs)

    async def stream(
        self, messages: list[Message], tools: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> AsyncIterator[StreamChunk]:
        """What the provider streams; of one that does not stream, its answer in one piece."""
        provider = self.provider()
        if isinstance(provider, StreamingProvider):
            async for chunk in provider.stream(messages, tools, **kwargs):
                yield chunk
        else:
            yield StreamChunk(response=await provider.complete(messages, tools, **kwargs))
