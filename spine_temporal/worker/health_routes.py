"""The HTTP endpoints of a worker process: its health, its metrics, the scale signal."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from spine_temporal.worker.health import Answer, Health
from spine_temporal.worker.health_server import HealthServer, Routes
from spine_temporal.worker.scale_answers import ScaleAnswers

_METRICS_S: Final = 2.0


@contextmanager
def serving_health(address: str | None, health: Health, metrics_address: str | None) -> Iterator[None]:
    """While the body runs, HTTP clients at `address` get answers; None: there is no such server.

    `metrics_address` is where the SDK's core serves its metrics; None: they are sent elsewhere.

    Raises:
        BadInput: the address cannot be used.
    """
    if not address:
        yield
        return
    scale = ScaleAnswers(health.client)
    routes: Routes = {
        "livez": lambda *_: health.livez(),
        "readyz": lambda *_: health.readyz(),
        "metrics": lambda *_: _metrics(metrics_address),
        "scale": scale,
    }
    try:
        with HealthServer(address, routes):
            yield
    finally:
        scale.close()


def free_local_address() -> str:
    """An address of this machine at which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{one.getsockname()[1]}"


def _metrics(address: str | None) -> Answer:
    if address is None:
        return Answer.json(404, {"status": "error", "reason": "metrics are not served here: they are sent by OTLP"})
    # Not by urllib, which would ask a proxy that the environment names.
    connection = http.client.HTTPConnection(address, timeout=_METRICS_S)
    try:
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        return Answer(response.status, response.read(), response.headers.get("Content-Type", "text/plain"))
    except OSError as error:
        return Answer.unavailable(f"the metrics of the SDK's core cannot be had: {error}")
    finally:
        connection.close()
