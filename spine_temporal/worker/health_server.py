"""A small HTTP server on threads of its own, which answers while the event loop is held."""

import contextlib
import logging
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qsl, unquote

from spine_temporal.errors import BadInput
from spine_temporal.worker.health import Answer

_log = logging.getLogger(__name__)

# A probe's whole exchange; whoever takes longer is cut off, so that nobody can hold threads by being slow.
_EXCHANGE_S: Final = 5.0
# Each has a thread. Beyond that the oldest is cut off: the newest may be the orchestrator's probe.
_CONNECTIONS: Final = 64
_LAST_PORT: Final = 65_535
_LOOK_EVERY_S: Final = 0.5
_JOIN_S: Final = 2.0

type Query = Sequence[tuple[str, str]]
"""The parameters after the question mark, decoded, in their order."""
type Routes = Mapping[str, Callable[[str, Query], Answer]]
"""What answers, by the first part of the path; it gets the other parts, decoded, and the query."""


class HealthServer:
    """Serves `routes` at `address` (host:port, [host]:port for IPv6, :port for all interfaces) while its body runs.

    Raises:
        BadInput: the address cannot be used; on construction.
    """

    def __init__(self, address: str, routes: Routes) -> None:
        self._server = _bound(address, routes)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=[_LOOK_EVERY_S], name="spine-temporal-health", daemon=True
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join(_JOIN_S)
        self._server.server_close()


def _bound(address: str, routes: Routes) -> "_Server":
    host, colon, port = address.rpartition(":")
    bare = ":" in host and not (host.startswith("[") and host.endswith("]"))
    if not colon or bare or not port.isdecimal() or int(port) > _LAST_PORT:
        raise BadInput(
            f"{address!r} is no address to listen at; SPINE_TEMPORAL_HEALTH_ADDRESS is host:port, [host]:port for "
            "IPv6, or :port"
        )
    try:
        found = socket.getaddrinfo(
            host.strip("[]") or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        return _Server(found[0][0], found[0][4], routes)
    except OSError as error:
        raise BadInput(
            f"cannot listen at {address} for health checks: {error.strerror or error}; is another worker there? "
            "SPINE_TEMPORAL_HEALTH_ADDRESS names another address"
        ) from error


class _Server(socketserver.ThreadingMixIn, HTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, family: int, address: Any, routes: Routes) -> None:
        self.address_family, self.routes = family, routes
        self._lock = threading.Lock()
        self._open: dict[socket.socket, float] = {}
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # Not as HTTPServer does, which asks the name service who this is and may wait for it.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            if len(self._open) >= _CONNECTIONS:
                self._cut(next(iter(self._open)))
            self._open[request] = time.monotonic() + _EXCHANGE_S
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        now_s = time.monotonic()
        with self._lock:
            for request in [each for each, until_s in self._open.items() if until_s < now_s]:
                self._cut(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the standard library's
        # Mostly somebody who went away.
        _log.debug("a health check broke off", exc_info=True)

    def _cut(self, request: socket.socket) -> None:
        del self._open[request]
        with contextlib.suppress(OSError):
            request.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "spine-temporal"
    sys_version = ""
    timeout = _EXCHANGE_S

    def do_GET(self) -> None:
        self._send(self._answer())

    def do_HEAD(self) -> None:
        self._send(self._answer())

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        self._send(Answer.json(code, {"status": "error", "reason": message or HTTPStatus(code).phrase}))

    def log_message(self, format: str, *args: Any) -> None:
        _log.debug(format, *args)

    def _answer(self) -> Answer:
        path, _, query = self.path.partition("?")
        name, _, rest = path.lstrip("/").partition("/")
        route = self.server.routes.get(name)
        if route is None:
            known = ", ".join(f"/{name}" for name in self.server.routes)
            return Answer.json(404, {"status": "error", "reason": f"there is nothing here; there are {known}"})
        try:
            return route(unquote(rest), parse_qsl(query, keep_blank_values=True))
        except Exception as error:  # noqa: BLE001 - the probe gets the reason, the log the place
            _log.exception("a health check failed")
            return Answer.unavailable(f"{type(error).__name__}: {error}")

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
