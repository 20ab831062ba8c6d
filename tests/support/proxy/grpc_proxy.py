"""A gRPC proxy that sees each call by its method, and lets a test do something about the n-th one."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Final, Self

import grpc
import grpc.aio

type _Metadata = list[tuple[str, str | bytes]]

# Ours is the connection; what describes one is not handed on.
_OF_THE_CONNECTION: Final = ("grpc-accept-encoding", "grpc-encoding", "grpc-timeout", "te", "user-agent")
_UNLIMITED: Final = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
# Of its own, so that a proxy that is closed takes its connection with it.
_CHANNEL: Final = [*_UNLIMITED, ("grpc.use_local_subchannel_pool", 1)]


class Call:
    """One call as it passes: what a test may do with it."""

    def __init__(
        self, method: str, number: int, request: bytes, send: Callable[[], Awaitable[bytes]], context: Any
    ) -> None:
        self.method = method
        """Its bare name, such as `PollActivityTaskQueue`."""
        self.number = number
        """The how many-th call of this method it is, from 1."""
        self.request = request
        self.forward = send
        """The server's reply; what the server refuses with, the caller is refused with."""
        self._context = context

    @property
    def metadata(self) -> list[tuple[str, str]]:
        """What the caller sent with the request."""
        return [(str(key), str(value)) for key, value in self._context.invocation_metadata() or ()]

    @property
    def peer_name(self) -> str:
        """The common name in the caller's certificate; empty: it has none."""
        names = self._context.auth_context().get("x509_common_name", [b""])
        return bytes(names[0]).decode()

    async def refuse(
        self, why: str = "refused by the proxy", status: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE
    ) -> bytes:
        """End the call as a broken connection does, or as a server that answers with another status."""
        await self._context.abort(status, why)
        raise AssertionError("aborted")

    def when_delivered(self, act: Callable[[], None]) -> None:
        """Call `act` once the reply has left the proxy."""
        self._context.add_done_callback(lambda _: act())


type Meddle = Callable[[Call], Awaitable[bytes]]


async def pass_on(call: Call) -> bytes:
    """Hand the call on, and its reply back."""
    return await call.forward()


class GrpcProxy:
    """A proxy at `address` in front of the server at `target`; every call goes through `meddle`.

    With `credentials` callers must come by TLS.
    Who breaks off a call breaks it off at the server, too; so a worker that is killed is gone there as without a proxy.
    """

    def __init__(
        self, target: str, meddle: Meddle = pass_on, credentials: grpc.ServerCredentials | None = None
    ) -> None:
        self.meddle = meddle
        self._credentials = credentials
        self.calls = Counter[str]()
        self.address = ""
        self._target = target
        self._server: grpc.aio.Server | None = None
        self._channel: grpc.aio.Channel | None = None

    async def __aenter__(self) -> Self:
        self._channel = grpc.aio.insecure_channel(self._target, options=_CHANNEL)
        self._server = grpc.aio.server(options=[*_UNLIMITED, ("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((_Handlers(self._handle),))
        anywhere = "127.0.0.1:0"
        if self._credentials is None:
            port = self._server.add_insecure_port(anywhere)
        else:
            port = self._server.add_secure_port(anywhere, self._credentials)
        self.address = f"127.0.0.1:{port}"
        await self._server.start()
        return self

    async def __aexit__(
        self, type_: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._server is not None:
            await self._server.stop(None)
        if self._channel is not None:
            await self._channel.close()

    async def _handle(self, path: str, request: bytes, context: Any) -> bytes:
        method = path.rpartition("/")[2]
        self.calls[method] += 1

        async def send() -> bytes:
            return await self._forward(path, request, context)

        return await self.meddle(Call(method, self.calls[method], request, send, context))

    async def _forward(self, path: str, request: bytes, context: Any) -> bytes:
        assert self._channel is not None
        remaining_s = context.time_remaining()
        method: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(path)
        sent = method(
            request, timeout=remaining_s, metadata=grpc.aio.Metadata(*_handed_on(context.invocation_metadata()))
        )
        try:
            reply: bytes = await sent
        except grpc.aio.AioRpcError as error:
            await context.abort(error.code(), error.details() or "", tuple(error.trailing_metadata() or ()))
            raise
        except asyncio.CancelledError:
            sent.cancel()
            raise
        return reply


def _handed_on(metadata: Any) -> _Metadata:
    return [(key, value) for key, value in metadata or () if key not in _OF_THE_CONNECTION]


class _Handlers(grpc.GenericRpcHandler):
    """Any method of any service, its messages as bytes."""

    def __init__(self, handle: Callable[[str, bytes, Any], Awaitable[bytes]]) -> None:
        self._handle = handle

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        path = handler_call_details.method

        async def carry_out(request: bytes, context: Any) -> bytes:
            return await self._handle(path, request, context)

        return grpc.unary_unary_rpc_method_handler(carry_out)
