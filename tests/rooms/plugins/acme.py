"""Acme's servers: what the plugin spine-provider-acme talks to."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from spine_core import Message, ModelResponse, Role, ToolCall, Usage
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.services.web import serving

KEY = "acme-key-9c1f"
_BOUND_S = 60.0


@dataclass
class Acme:
    """A model that adds, then multiplies, then says what came of it. Its second answer can be held back."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    at_the_second: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to talk to it."""
        return {"ACME_URL": self.url, "ACME_API_KEY": KEY}

    async def complete(self, request: Request) -> Response:
        """One answer."""
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return JSONResponse({"error": "who are you?"}, status_code=401)
        asked = await request.json()
        self.asked.append(asked)
        messages = [Message.model_validate(message) for message in asked["messages"]]
        results = [message.content for message in messages if message.role is Role.TOOL]
        if len(results) == 1:
            self.at_the_second.set()
            await asyncio.to_thread(self.go_on.wait, _BOUND_S)
        return JSONResponse(_answer(results).model_dump(mode="json"))


def _answer(results: list[str | None]) -> ModelResponse:
    usage = Usage(input_tokens=10, output_tokens=5, cost_usd=0.001)
    if len(results) < 2:
        name, arguments = ("plus", {"a": 2, "b": 3}) if not results else ("times", {"a": int(results[0] or 0), "b": 7})
        calls = [ToolCall(id=f"call_{len(results)}", name=name, arguments=arguments)]
        return ModelResponse(message=Message.assistant(None, calls), usage=usage, finish_reason="tool_calls")
    return ModelResponse(message=Message.assistant(f"it is {results[1]}"), usage=usage, finish_reason="stop")


@contextmanager
def acme_at_work() -> Iterator[Acme]:
    """Acme, for as long as the body takes."""
    acme = Acme()
    app = Starlette(routes=[Route("/v1/complete", acme.complete, methods=["POST"])])
    with serving(app) as url:
        acme.url = url
        try:
            yield acme
        finally:
            acme.go_on.set()
