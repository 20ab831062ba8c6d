"""A receiver of OTLP over HTTP: it keeps what arrives as the protocol's own messages."""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric


@dataclass(frozen=True)
class Received:
    """One span, as it came over the wire."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    status: int
    began_ns: int
    ended_ns: int
    attributes: dict[str, Any]
    links: list[str]
    """The ids of the spans that it is linked to."""
    schema_url: str


@dataclass
class Receiver:
    """Listens while it is entered."""

    spans: list[Received] = field(default_factory=list)
    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    metrics: dict[str, Metric] = field(default_factory=dict)
    """The last state of each, by its name."""

    def named(self, name: str) -> list[Received]:
        return [span for span in list(self.spans) if span.name == name]

    def one(self, name: str) -> Received:
        [span] = self.named(name)
        return span

    def metric(self, name: str) -> Metric | None:
        return self.metrics.get(name)

    def take(self, body: bytes, path: str = "/v1/traces") -> None:
        self.bodies.append(body)
        if path.endswith("/metrics"):
            for of_resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for of_scope in of_resource.scope_metrics:
                    self.metrics |= {metric.name: metric for metric in of_scope.metrics}
            return
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.spans += [_received(span, scope.schema_url) for span in scope.spans]

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.take(self.rfile.read(int(self.headers["Content-Length"])), self.path)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1/traces"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _received(span: Any, schema_url: str) -> Received:
    return Received(
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        kind=span.kind,
        status=span.status.code,
        began_ns=span.start_time_unix_nano,
        ended_ns=span.end_time_unix_nano,
        attributes={each.key: _value(each.value) for each in span.attributes},
        links=[link.span_id.hex() for link in span.links],
        schema_url=schema_url,
    )


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return [_value(each) for each in value.array_value.values] if kind == "array_value" else getattr(value, kind)
