"""The codec server's HTTP side, as Temporal's web UI and command speak to it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from google.protobuf.json_format import MessageToDict, Parse, ParseError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from temporalio.api.common.v1 import Payload, Payloads

from spine_temporal.codec_server.access import Access, Caller
from spine_temporal.encryption.codec import EncryptionCodec
from spine_temporal.encryption.keys import KeySource
from spine_temporal.errors import BadInput, PayloadUnreadable
from spine_temporal.payloads import ENCRYPTED

_log = logging.getLogger(__name__)

MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""Four answers of a server with history, in base64: whoever sends more means no good."""

_NAMESPACE: Final = "x-namespace"
# The web UI sends it beside a user's access token; it is not read here, but a preflight that does not allow it fails.
_EXTRAS: Final = "authorization-extras"


@dataclass(frozen=True, slots=True)
class CodecServer:
    """What the server knows: keys, whose tokens it takes, which web pages may ask, whether it encodes."""

    keys: KeySource
    access: Sequence[Access]
    origins: Sequence[str] = ()
    encodes: bool = False

    def app(self) -> Starlette:
        """The ASGI application.

        Raises:
            BadInput: an origin is not exact.
        """
        for origin in self.origins:
            if "*" in origin or not origin.startswith(("http://", "https://")) or origin.count("/") != 2:
                raise BadInput(
                    f"{origin!r} is no origin of a web page; SPINE_TEMPORAL_CODEC_ORIGINS has some, as https://host or "
                    "https://host:port"
                )
        routes = [Route("/healthz", _healthy, methods=["GET"])]
        for what, handler in (("decode", self._decode), ("encode", self._encode)):
            routes += [Route(path, handler, methods=["POST"]) for path in (f"/{what}", f"/{{namespace}}/{what}")]
        cors = Middleware(
            CORSMiddleware,
            allow_origins=list(self.origins),
            allow_methods=["POST"],
            allow_headers=["authorization", _EXTRAS, "content-type", _NAMESPACE],
        )
        return Starlette(routes=routes, middleware=[cors], exception_handlers={HTTPException: _refused})

    async def _decode(self, request: Request) -> Response:
        codec, payloads, caller = await self._asked(request, write=False)
        decoded = [await _decoded(codec, payload) for payload in payloads]
        _log.info("decoded %d payloads of namespace %r for %s", len(decoded), codec.namespace, caller.name)
        return _answer(decoded)

    async def _encode(self, request: Request) -> Response:
        if not self.encodes:
            raise HTTPException(403, "this server only decodes; SPINE_TEMPORAL_CODEC_ENCODE=1 lets it encode")
        codec, payloads, caller = await self._asked(request, write=True)
        _log.info("encoded %d payloads of namespace %r for %s", len(payloads), codec.namespace, caller.name)
        return _answer(await codec.encode(payloads))

    async def _asked(self, request: Request, *, write: bool) -> tuple[EncryptionCodec, Sequence[Payload], Caller]:
        origin = request.headers.get("origin")
        if origin is not None and origin not in self.origins:
            raise HTTPException(403, f"no page of {origin} may ask; SPINE_TEMPORAL_CODEC_ORIGINS names those that may")
        caller = self._caller(request)
        namespace = request.path_params.get("namespace") or request.headers.get(_NAMESPACE)
        if not namespace:
            raise HTTPException(400, "the namespace is missing: ask /NAMESPACE/decode, or send the header X-Namespace")
        if not caller.may(namespace, write=write):
            raise HTTPException(403, f"the token is not for namespace {namespace!r}")
        return EncryptionCodec(self.keys, namespace), (await _payloads(request)).payloads, caller

    def _caller(self, request: Request) -> Caller:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        for access in self.access if scheme.lower() == "bearer" else ():
            caller = access.caller(token.strip())
            if caller is not None:
                return caller
        raise HTTPException(401, "a valid bearer token is required", {"WWW-Authenticate": "Bearer"})


async def _decoded(codec: EncryptionCodec, payload: Payload) -> Payload:
    if payload.metadata.get("encoding") != ENCRYPTED:
        return payload
    try:
        return (await codec.decode([payload]))[0]
    except PayloadUnreadable as error:
        # The others of the page can be shown.
        _log.warning("left as it is: %s", error)
        return payload


async def _payloads(request: Request) -> Payloads:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(413, f"the body has more than {MAX_BODY_BYTES:,} bytes; ask for fewer payloads at once")
    try:
        return Parse(bytes(body), Payloads())
    except (ParseError, UnicodeDecodeError, RecursionError):
        raise HTTPException(
            400, 'the body is no JSON of payloads: {"payloads": [{"metadata": ..., "data": ...}]}'
        ) from None


def _answer(payloads: Sequence[Payload]) -> Response:
    return JSONResponse(MessageToDict(Payloads(payloads=payloads)), headers={"Cache-Control": "no-store"})


async def _healthy(_: Request) -> Response:
    return PlainTextResponse("ok")


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    # Neither the web UI nor Temporal's command shows the reason.
    _log.warning("refused %s %r: %s", request.method, request.url.path, error.detail)
    return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)
