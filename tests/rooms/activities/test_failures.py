"""Which failures pass by themselves: real errors of httpx and of the SDKs that providers use."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import anthropic
import asyncpg
import httpx
import httpx2
import openai
import pytest
import redis
from spine_core.errors import ProviderError

from spine_temporal.activities.failures import Transient, classify
from spine_temporal.errors import AgentBroken, BadInput, UnknownAgent

NOON_S = 1_800_000_000.0
URL = "https://api.example.com/v1"
PASSING = Transient(None)


def of_httpx(status: int, headers: dict[str, str] | None = None) -> Exception:
    response = httpx.Response(status, headers=headers, request=httpx.Request("POST", URL))
    with pytest.raises(httpx.HTTPStatusError) as raised:
        response.raise_for_status()
    return raised.value


def asked_openai(answer: Callable[[httpx2.Request], httpx2.Response]) -> Exception:
    with (
        httpx2.Client(transport=httpx2.MockTransport(answer)) as http,
        pytest.raises(openai.APIError) as raised,
    ):
        openai.OpenAI(api_key="k", base_url=URL, http_client=http, max_retries=0).models.list()
    return raised.value


def asked_anthropic(answer: Callable[[httpx2.Request], httpx2.Response]) -> Exception:
    with (
        httpx2.Client(transport=httpx2.MockTransport(answer)) as http,
        pytest.raises(anthropic.APIError) as raised,
    ):
        anthropic.Anthropic(api_key="k", base_url=URL, http_client=http, max_retries=0).models.list()
    return raised.value


def of_openai(status: int, headers: dict[str, str] | None = None) -> Exception:
    return asked_openai(lambda request: httpx2.Response(status, headers=headers, request=request, json={}))


def of_anthropic(status: int, headers: dict[str, str] | None = None) -> Exception:
    return asked_anthropic(lambda request: httpx2.Response(status, headers=headers, request=request, json={}))


SOURCES: list[Any] = [of_httpx, of_openai, of_anthropic]
Raised = Callable[..., Exception]


@pytest.mark.parametrize("raised", SOURCES)
@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
def test_http_answer_that_will_be_another_one_later_passes(raised: Raised, status: int) -> None:
    assert classify(raised(status), now_s=NOON_S) == PASSING


@pytest.mark.parametrize("raised", [of_httpx, of_openai, of_anthropic])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_http_answer_that_will_stay_the_same_does_not_pass(raised: Raised, status: int) -> None:
    assert classify(raised(status), now_s=NOON_S) is None


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"Retry-After": "0"}, 0.0),
        ({"retry-after": "Fri, 15 Jan 2027 08:01:30 GMT"}, 90.0),
        ({"retry-after": "Fri, 15 Jan 2027 07:00:00 GMT"}, 0.0),
        # By the clock of who says so; this machine's may be off by days.
        ({"retry-after": "Mon, 18 Jan 2027 08:01:30 GMT", "date": "Mon, 18 Jan 2027 08:01:20 GMT"}, 10.0),
        ({"retry-after": "Fri, 15 Jan 2027 08:01:30 GMT", "date": "at tea"}, 90.0),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
    ],
    ids=str,
)
@pytest.mark.parametrize("raised", SOURCES)
def test_server_says_how_long_to_wait(raised: Raised, headers: dict[str, str], wait_s: float | None) -> None:
    assert classify(raised(429, headers), now_s=NOON_S) == Transient(wait_s)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("retry-after", "soon"),
        ("retry-after", "-5"),
        ("retry-after", ""),
        ("retry-after", "32 Jan 2027"),
        ("retry-after-ms", "soon"),
    ],
)
def test_wait_that_nobody_understands_is_left_to_temporal(header: str, value: str) -> None:
    assert classify(of_httpx(429, {header: value}), now_s=NOON_S) == PASSING


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("half an answer"),
        ConnectionResetError("reset"),
        TimeoutError("slow"),
        redis.ConnectionError("refused"),
        redis.TimeoutError("slow"),
        redis.BusyLoadingError("it starts"),
        asyncpg.ConnectionDoesNotExistError("closed in the middle of operation"),
        asyncpg.CannotConnectNowError("it starts"),
        asyncpg.AdminShutdownError("it stops"),
        asyncpg.TooManyConnectionsError("sorry, too many clients already"),
        UnknownAgent("another worker may know it"),
        AgentBroken("another worker may build it"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_lost_connection_or_a_worker_that_cannot_passes(error: Exception) -> None:
    assert classify(error, now_s=NOON_S) == PASSING


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a bug"),
        KeyError("a"),
        BadInput("no"),
        ProviderError("no"),
        FileNotFoundError("a"),
        AssertionError(),
        redis.AuthenticationError("wrong password"),
        redis.ResponseError("unknown command"),
        asyncpg.InvalidPasswordError("wrong password"),
        asyncpg.UndefinedTableError("no such table"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_will_be_the_same_the_next_time_does_not_pass(error: Exception) -> None:
    assert classify(error, now_s=NOON_S) is None


@pytest.mark.parametrize("asked", [asked_openai, asked_anthropic])
@pytest.mark.parametrize("lost", [httpx2.ConnectError, httpx2.ReadTimeout])
def test_sdk_error_passes_when_the_network_was_the_cause(
    asked: Callable[[Callable[[httpx2.Request], httpx2.Response]], Exception], lost: type[httpx2.TransportError]
) -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise lost("refused", request=request)

    assert classify(asked(refuse), now_s=NOON_S) == PASSING


def chained(outer: Exception, cause: Exception) -> Exception:
    outer.__cause__ = cause
    return outer


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (chained(ProviderError("no"), httpx.ConnectError("refused")), PASSING),
        (chained(ProviderError("no"), chained(ValueError("no"), TimeoutError())), PASSING),
        (chained(ProviderError("no"), of_httpx(503, {"retry-after": "3"})), Transient(3.0)),
        (chained(ProviderError("no"), of_httpx(401)), None),
        (chained(ProviderError("no"), ValueError("a bug")), None),
        (chained(of_httpx(400), TimeoutError()), None),
    ],
    ids=["network", "deeper", "busy", "bad key", "bug", "the nearest answer decides"],
)
def test_cause_decides_about_an_error_that_wraps_it(error: Exception, expected: Transient | None) -> None:
    assert classify(error, now_s=NOON_S) == expected


def test_errors_that_cause_each_other_are_looked_at_once() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first

    assert classify(first, now_s=NOON_S) is None


@pytest.mark.parametrize("mistake", [httpx.UnsupportedProtocol("no http://"), httpx.LocalProtocolError("bad header")])
def test_request_that_could_not_be_sent_as_it_is_does_not_pass(mistake: Exception) -> None:
    assert classify(mistake, now_s=NOON_S) is None


@pytest.mark.parametrize("headers", [{"retry-after-ms": "inf"}, {"retry-after": "9" * 20}], ids=str)
def test_absurd_wait_is_not_believed(headers: dict[str, str]) -> None:
    passing = classify(of_httpx(429, headers), now_s=NOON_S)

    assert passing is not None
    assert timedelta(seconds=passing.retry_after_s or 0) < timedelta(days=1)
