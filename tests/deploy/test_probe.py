"""The image's health probe against a server, as a container runs it."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import pytest

from tests.deploy.repository import ROOT

PROBE: Final = ROOT / "deploy" / "healthcheck.py"


class _Worker(ThreadingHTTPServer):
    """A worker's health, by path."""

    answers: dict[str, tuple[HTTPStatus, str]]


class _Answer(BaseHTTPRequestHandler):
    server: _Worker

    def do_GET(self) -> None:  # the standard library's name
        status, text = self.server.answers.get(self.path, (HTTPStatus.NOT_FOUND, ""))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Nothing: the test's output is not a log."""


@pytest.fixture
def worker() -> Iterator[_Worker]:
    """A worker that is ready."""
    with _Worker(("127.0.0.1", 0), _Answer) as server:
        server.answers = {"/readyz": (HTTPStatus.OK, "ok"), "/healthz": (HTTPStatus.OK, "ok")}
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def probe(address: str | None, *arguments: str) -> tuple[int, str]:
    """Exit code and output; in the environment of a container behind a proxy."""
    settings = {} if address is None else {"SPINE_TEMPORAL_HEALTH_ADDRESS": address}
    # As the Dockerfile has it: nothing but the standard library is there.
    probed = subprocess.run(
        [sys.executable, "-I", "-S", PROBE, *arguments],
        env=os.environ | {"http_proxy": "http://127.0.0.1:1"} | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return probed.returncode, probed.stdout.strip()


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1", "localhost", ""])
def test_worker_that_is_ready_is_healthy(worker: _Worker, host: str) -> None:
    assert probe(f"{host}:{worker.server_port}") == (0, "")


def test_worker_that_drains_is_not_and_says_why(worker: _Worker) -> None:
    worker.answers["/readyz"] = (HTTPStatus.SERVICE_UNAVAILABLE, "draining")

    assert probe(f"0.0.0.0:{worker.server_port}") == (1, "draining")


def test_answer_without_a_word_is_named_by_its_number(worker: _Worker) -> None:
    del worker.answers["/readyz"]

    code, output = probe(f"0.0.0.0:{worker.server_port}")

    assert (code, output.endswith("/readyz answers 404")) == (1, True)


def test_process_that_does_not_answer_is_not_healthy() -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))

        code, output = probe(f"0.0.0.0:{nobody_listens.getsockname()[1]}")

    assert code == 1
    assert "does not answer" in output


def test_probe_without_an_address_says_what_to_set() -> None:
    code, output = probe(None)

    assert code == 1
    assert "set it to HOST:PORT" in output


def test_another_process_is_asked_at_the_url_that_is_given(worker: _Worker) -> None:
    assert probe(None, f"http://127.0.0.1:{worker.server_port}/healthz") == (0, "")
