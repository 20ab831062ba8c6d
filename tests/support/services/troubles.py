"""What can go wrong with one answer of a model's API."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

type Errors = Callable[[str, str], dict[str, Any]]
"""The body of an error answer, made of its kind and its message."""


@dataclass(frozen=True, slots=True)
class Honest:
    """The answer that would have been given."""

    media_type: str
    content: str


type Trouble = Callable[[Honest, Errors], Response]

_SERVER_ERROR: Final = 500


def busy(retry_after: str) -> Trouble:
    """Too many requests; come back in so many seconds."""

    def answer(_: Honest, error: Errors) -> Response:
        body = error("rate_limit_error", "Too many requests.")
        return JSONResponse(body, status_code=429, headers={"retry-after": retry_after})

    return answer


def broken(_: Honest, error: Errors) -> Response:
    """An error within the provider's own server."""
    return JSONResponse(error("api_error", "Something broke on our side."), status_code=_SERVER_ERROR)


def without_quota(_: Honest, error: Errors) -> Response:
    """A 429 that does not pass: the month's money is spent."""
    return JSONResponse(error("insufficient_quota", "You exceeded your current quota."), status_code=429)


def too_long(_: Honest, error: Errors) -> Response:
    """The conversation has outgrown the model."""
    return JSONResponse(error("invalid_request_error", "Your prompt is too long: 210000 tokens."), status_code=400)


def garbled(honest: Honest, _: Errors) -> Response:
    """Half of the answer, as if it were the whole."""
    return Response(_half(honest.content), media_type=honest.media_type)


def web_page(_: Honest, __: Errors) -> Response:
    """What a proxy in between shows to people."""
    return HTMLResponse("<h1>Please log in</h1>")


def cut_off(honest: Honest, _: Errors) -> Response:
    """The connection is lost in the midst of the answer."""
    return _CutOff(honest.content, media_type=honest.media_type)


class _CutOff(Response):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        # More was announced than will come; a server that is left like this closes the connection.
        await send({"type": "http.response.body", "body": _half(bytes(self.body)), "more_body": True})


def _half[Text: (str, bytes)](content: Text) -> Text:
    return content[: len(content) // 2]
