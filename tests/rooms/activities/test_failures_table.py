"""Failures of libraries that need not be installed: the real class where it is, else one of its name."""

import http.client
import socket
import ssl
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import httpcore
import httpx2
import openai
import pytest
import requests
from temporalio.service import RPCError, RPCStatusCode
from urllib3.exceptions import MaxRetryError
from urllib3.exceptions import SSLError as Urllib3SSLError

from spine_temporal.activities.failures import Transient, classify

PASSING = Transient(None)


def named(path: str, *bases: type[BaseException], **attributes: Any) -> BaseException:
    """An error of a class that has that module and name."""
    module, _, name = path.rpartition(".")
    error: BaseException = type(name, bases or (Exception,), {"__module__": module})("raised")
    for key, value in attributes.items():
        setattr(error, key, value)
    return error


def of_aws(code: str, status: int) -> BaseException:
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}}}
    return named("botocore.exceptions.ClientError", response=response)


def of_grpc(name: str) -> BaseException:
    return named("grpc.aio._call.AioRpcError", code=lambda: SimpleNamespace(name=name))


def of_requests(status: int, headers: dict[str, str] | None = None) -> Exception:
    response = requests.Response()
    response.status_code = status
    response.headers.update(headers or {})
    return requests.HTTPError("raised", response=response)


def refused_certificate() -> Exception:
    below = Urllib3SSLError(ssl.SSLCertVerificationError("self-signed certificate"))
    return requests.exceptions.SSLError(MaxRetryError(None, "/", below))  # type: ignore[arg-type]


def without_quota() -> Exception:
    request = httpx2.Request("POST", "https://api.example.com/v1")
    body = {"code": "insufficient_quota", "type": "insufficient_quota", "message": "no money left"}
    return openai.RateLimitError("no money left", response=httpx2.Response(429, request=request), body=body)


def without_quota_by_hand() -> Exception:
    request = httpx2.Request("POST", "https://api.example.com/v1")
    response = httpx2.Response(429, request=request, json={"error": {"code": "insufficient_quota"}})
    return httpx2.HTTPStatusError("raised", request=request, response=response)


@pytest.mark.parametrize(
    "error",
    [
        http.client.IncompleteRead(b"half"),
        http.client.BadStatusLine(""),
        httpcore.RemoteProtocolError("closed"),
        httpcore.ReadTimeout("slow"),
        requests.ConnectionError("refused"),
        requests.ReadTimeout("slow"),
        of_requests(503),
        named("aiohttp.client_exceptions.ClientConnectionError"),
        named("aiohttp.client_exceptions.ClientResponseError", status=502),
        named("botocore.exceptions.HTTPClientError"),
        of_aws("ThrottlingException", 400),
        of_aws("Anything", 503),
        of_grpc("UNAVAILABLE"),
        RPCError("no such workflow, yet", RPCStatusCode.NOT_FOUND, b""),
        named("google.api_core.exceptions.ServiceUnavailable", code=HTTPStatus.SERVICE_UNAVAILABLE),
        named("google.genai.errors.ServerError", code=503),
        socket.gaierror(socket.EAI_AGAIN, "temporary failure in name resolution"),
        ssl.SSLEOFError("the connection was closed"),
    ],
    ids=lambda error: f"{type(error).__module__}.{type(error).__name__}",
)
def test_what_may_be_otherwise_later_passes(error: BaseException) -> None:
    assert classify(error, now_s=0.0) == PASSING


@pytest.mark.parametrize(
    "error",
    [
        of_requests(401),
        refused_certificate(),
        named("aiohttp.client_exceptions.ClientResponseError", status=404),
        of_aws("AccessDeniedException", 403),
        of_grpc("PERMISSION_DENIED"),
        RPCError("WorkflowId exceeds maximum allowed length", RPCStatusCode.INVALID_ARGUMENT, b""),
        named("google.api_core.exceptions.Forbidden", code=HTTPStatus.FORBIDDEN),
        named("google.genai.errors.ClientError", code=400),
        without_quota(),
        without_quota_by_hand(),
        ssl.SSLCertVerificationError("self-signed certificate"),
        named("websockets.exceptions.SomethingOfTheirs", code=1006),
    ],
    ids=lambda error: f"{type(error).__module__}.{type(error).__name__}",
)
def test_what_stays_the_same_does_not_pass(error: BaseException) -> None:
    assert classify(error, now_s=0.0) is None


def test_answer_of_requests_says_how_long_to_wait() -> None:
    assert classify(of_requests(429, {"Retry-After": "7"}), now_s=0.0) == Transient(7.0)
