"""A model's HTTP API, with the troubles that such APIs have."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.services.small_model import Parameters, Reply, Turn, fault_in, reply_to
from tests.support.services.troubles import Honest, Trouble


class Dialect(Protocol):
    """How one vendor says the same things."""

    path: str
    base: str
    """What its SDK wants behind the server's address."""

    def key_in(self, headers: Mapping[str, str]) -> str: ...
    def turns(self, body: Mapping[str, Any]) -> list[Turn]: ...
    def tools(self, body: Mapping[str, Any]) -> Parameters: ...
    def error(self, kind: str, message: str) -> dict[str, Any]: ...
    def whole(self, reply: Reply, body: Mapping[str, Any]) -> dict[str, Any]: ...
    def events(self, reply: Reply, body: Mapping[str, Any]) -> Iterator[str]: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it arrived."""

    headers: Mapping[str, str]
    body: Mapping[str, Any]
    key: str
    tools: Parameters


class ModelApi:
    """Answers whoever knows `key`, from the conversation that the request holds."""

    def __init__(self, dialect: Dialect, key: str) -> None:
        self.dialect = dialect
        self.key = key
        self.asked: list[Asked] = []
        self._troubles: deque[Trouble] = deque()

    @property
    def route(self) -> Route:
        return Route(self.dialect.path, self._answer, methods=["POST"])

    def trouble(self, *troubles: Trouble) -> None:
        """Answer the next requests like this, one each."""
        self._troubles.extend(troubles)

    def forget(self) -> None:
        """Begin anew: no request was made, no trouble is to come."""
        self.asked.clear()
        self._troubles.clear()

    async def _answer(self, request: Request) -> Response:
        body = await request.json()
        key = self.dialect.key_in(request.headers)
        turns, tools = self.dialect.turns(body), self.dialect.tools(body)
        self.asked.append(Asked(dict(request.headers), body, key, tools))
        if key != self.key:
            # Both vendors' own words are like this: they show the end of the key that they were given.
            return self._refusal(401, "authentication_error", f"Incorrect API key provided: ****{key[-4:]}.")
        if fault := fault_in(turns):
            return self._refusal(400, "invalid_request_error", fault)
        reply = reply_to(turns, tools)
        if self._troubles:
            return self._troubles.popleft()(self._honest(reply, body), self.dialect.error)
        if body.get("stream"):
            return StreamingResponse(self.dialect.events(reply, body), media_type="text/event-stream")
        return JSONResponse(self.dialect.whole(reply, body))

    def _honest(self, reply: Reply, body: Mapping[str, Any]) -> Honest:
        if body.get("stream"):
            return Honest("text/event-stream", "".join(self.dialect.events(reply, body)))
        return Honest("application/json", bytes(JSONResponse(self.dialect.whole(reply, body)).body).decode())

    def _refusal(self, status: int, kind: str, message: str) -> Response:
        return JSONResponse(self.dialect.error(kind, message), status_code=status)
