"""A provider that speaks HTTP with Acme; importing it registers the scheme `acme`."""

import os
from collections.abc import AsyncIterator
from typing import Any

import httpx
from spine_core import Message, ModelResponse
from spine_core.provider import StreamChunk, register_provider

__all__ = ["AcmeProvider"]


class AcmeProvider:
    """`ACME_URL` is where Acme is, `ACME_API_KEY` the key that it wants."""

    def __init__(self, model: str) -> None:
        self.model = model
        self._http = httpx.AsyncClient(
            base_url=os.environ["ACME_URL"], headers={"authorization": f"Bearer {os.environ['ACME_API_KEY']}"}
        )

    async def complete(
        self, messages: list[Message], tools: list[dict[str, Any]] | None = None, **_: Any
    ) -> ModelResponse:
        request = {
            "model": self.model,
            "messages": [message.model_dump(mode="json") for message in messages],
            "tools": tools or [],
        }
        response = await self._http.post("/v1/complete", json=request)
        response.raise_for_status()
        return ModelResponse.model_validate(response.json())

    async def stream(
        self, messages: list[Message], tools: list[dict[str, Any]] | None = None, **_: Any
    ) -> AsyncIterator[StreamChunk]:
        whole = await self.complete(messages, tools)
        for word in (whole.message.content or "").split():
            yield StreamChunk(delta=word)
        yield StreamChunk(response=whole)


register_provider("acme", AcmeProvider)
