"""The web server of the tests: there at once, gone without a trace."""

import socket
import threading

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.support.services.web import serving


async def hello(request: Request) -> Response:
    return PlainTextResponse("hello")


def test_server_answers_at_once_and_leaves_neither_thread_nor_port() -> None:
    before = set(threading.enumerate())

    with serving(Starlette(routes=[Route("/", hello)])) as url, httpx.Client(trust_env=False) as kept_alive:
        assert kept_alive.get(url).text == "hello"

    assert set(threading.enumerate()) == before
    address = httpx.URL(url)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.host, address.port or 0))
