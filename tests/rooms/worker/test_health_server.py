"""The HTTP server of a worker answers, whatever its clients do."""

import http.client
import json
import socket
from collections.abc import Iterator

import pytest

from spine_temporal.errors import BadInput
from spine_temporal.worker import health_server
from spine_temporal.worker.health import Answer, Health
from spine_temporal.worker.health_server import HealthServer
from tests.deploy.worker_process import get
from tests.support.waiting import until


def broken(_: str, __: health_server.Query) -> Answer:
    raise LookupError("of the test")


ROUTES: health_server.Routes = {
    "livez": lambda *_: Answer.ok(),
    "scale": lambda rest, query: Answer.ok(rest=rest, query=query),
    "broken": broken,
}


@pytest.fixture
def server() -> Iterator[HealthServer]:
    with HealthServer("127.0.0.1:0", ROUTES) as server:
        yield server


def slow_client(server: HealthServer) -> socket.socket:
    """Somebody who begins a request and says no more."""
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.sendall(b"GET /livez HT")
    return connection


@pytest.mark.parametrize(
    ("path", "status", "content"),
    [
        ("/livez", 200, {"status": "ok"}),
        ("/livez?verbose", 200, {"status": "ok"}),
        ("/scale/it%27s%20a%2Fqueue", 200, {"status": "ok", "rest": "it's a/queue", "query": []}),
        ("/scale/a?build=v1%2B2&x", 200, {"status": "ok", "rest": "a", "query": [["build", "v1+2"], ["x", ""]]}),
        ("/broken", 503, {"status": "unavailable", "reason": "LookupError: of the test"}),
        ("/", 404, {"status": "error", "reason": "there is nothing here; there are /livez, /scale, /broken"}),
        (
            "/../etc/passwd",
            404,
            {"status": "error", "reason": "there is nothing here; there are /livez, /scale, /broken"},
        ),
    ],
)
def test_answer_is_json_with_its_reason(server: HealthServer, path: str, status: int, content: object) -> None:
    assert get(server.port, path) == (status, content)


def test_url_that_is_too_long_is_refused(server: HealthServer) -> None:
    status, content = get(server.port, "/livez/" + 65_540 * "x")

    # Pythons name it differently.
    assert (status, content["status"]) == (414, "error")
    assert "URI Too Long" in content["reason"]


def test_head_has_the_headers_of_get_and_no_body(server: HealthServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("HEAD", "/livez")
    response = connection.getresponse()

    assert (response.status, response.headers["Content-Length"]) == (200, str(len(Answer.ok().body)))
    assert response.read() == b""
    connection.close()


def test_method_that_changes_things_is_refused(server: HealthServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("POST", "/livez", body=b"stop")
    response = connection.getresponse()

    assert response.status == 501
    assert json.loads(response.read())["reason"] == "Unsupported method ('POST')"
    connection.close()


def test_slow_clients_keep_nobody_waiting_however_many_there_are(server: HealthServer) -> None:
    slow = [slow_client(server) for _ in range(3 * health_server._CONNECTIONS)]

    assert get(server.port, "/livez") == (200, {"status": "ok"})
    for each in slow:
        each.close()


async def test_slow_client_is_cut_off(server: HealthServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_server, "_EXCHANGE_S", 0.1)
    with slow_client(server) as slow:
        slow.settimeout(60)

        # One that sends a byte now and then is never silent for long.
        def is_cut() -> bool:
            try:
                slow.sendall(b"T")
            except OSError:
                return True
            return False

        await until(is_cut, "the end of the connection")


@pytest.mark.parametrize(
    "address", ["8080", "127.0.0.1", "host:port", "::1:8080", "127.0.0.1:70000", "no.such.host.invalid:80"]
)
def test_address_that_cannot_be_listened_at_is_named(address: str) -> None:
    with pytest.raises(BadInput, match=address):
        HealthServer(address, ROUTES)


def test_address_in_use_is_named(server: HealthServer) -> None:
    with pytest.raises(BadInput, match=f"cannot listen at 127.0.0.1:{server.port} for health checks: Address"):
        HealthServer(f"127.0.0.1:{server.port}", ROUTES)


def test_ipv6_address_is_listened_at() -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")
    with HealthServer("[::1]:0", ROUTES) as server:
        connection = http.client.HTTPConnection("::1", server.port, timeout=20)
        connection.request("GET", "/livez")

        assert connection.getresponse().status == 200
        connection.close()


def test_process_that_starts_is_alive_and_not_ready() -> None:
    health = Health()

    assert health.livez().status == 200
    assert health.readyz() == Answer.unavailable("it starts, and has not polled yet")
