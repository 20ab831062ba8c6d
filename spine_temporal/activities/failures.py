"""Which failures pass by themselves."""

import socket
import ssl
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple, TypeGuard

from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.errors import AgentBroken, UnknownAgent

_TRANSIENT_STATUS: Final = frozenset({408, 409, 429})
_HTTP: Final = range(100, 600)
_SERVER_ERROR: Final = 500
_LONGEST_WAIT_S: Final = 3600.0

# By name: an SDK may be built on httpx or on httpx2, whose classes have nothing but their names in common, and none of
# these packages need be installed. Their errors of a lost connection are no ConnectionError of Python's.
_CONNECTION_LOST: Final = {
    "httpx": frozenset({"TransportError"}),
    "httpx2": frozenset({"TransportError"}),
    "httpcore": frozenset({"NetworkError", "TimeoutException", "RemoteProtocolError"}),
    "http": frozenset({"BadStatusLine", "IncompleteRead"}),
    "aiohttp": frozenset({"ClientConnectionError", "ClientPayloadError", "ServerTimeoutError"}),
    "requests": frozenset({"ConnectionError", "Timeout", "ChunkedEncodingError"}),
    "urllib3": frozenset({"ProtocolError", "TimeoutError", "NewConnectionError", "MaxRetryError"}),
    "botocore": frozenset({"HTTPClientError", "ConnectionError", "EndpointConnectionError"}),
    "websockets": frozenset({"ConnectionClosedError"}),
    "google": frozenset({"RetryError", "TransportError"}),
    "redis": frozenset({"ConnectionError", "TimeoutError"}),
    "asyncpg": frozenset(
        {
            "PostgresConnectionError",
            "CannotConnectNowError",
            "AdminShutdownError",
            "CrashShutdownError",
            "TooManyConnectionsError",
        }
    ),
}
# Subclasses of those above that are as wrong the next time.
_CALLERS_MISTAKE: Final = frozenset(
    {
        "AuthenticationError",
        "AuthorizationError",
        "ClientConnectorCertificateError",
        "InvalidProxyURL",
        "InvalidSchema",
        "LocalProtocolError",
        "LocationParseError",
        "ServerFingerprintMismatch",
        "UnsupportedProtocol",
    }
)
# https://grpc.io/docs/guides/status-codes: what a client that sends the same again may see change.
_TRANSIENT_GRPC: Final = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED", "INTERNAL"})
# The services' own words, where the status says less: AWS answers throttling with 400.
_TRANSIENT_CODES: Final = frozenset(
    {
        "InternalServerException",
        "ModelNotReadyException",
        "ModelTimeoutException",
        "ProvisionedThroughputExceededException",
        "RequestTimeout",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
# The money is spent: waiting brings none.
_NO_QUOTA: Final = frozenset({"billing_hard_limit_reached", "billing_not_active", "insufficient_quota"})
_QUOTA_STATUS: Final = frozenset({403, 429})
_TEMPORARY_DNS: Final = frozenset(
    getattr(socket, name) for name in ("EAI_AGAIN", "EAI_NONAME", "EAI_NODATA", "EAI_FAIL") if hasattr(socket, name)
)


class Transient(NamedTuple):
    """The same call may succeed later."""

    retry_after_s: float | None
    """How long the server asked us to wait, an hour at the most; None: it did not say."""


class _Known(NamedTuple):
    """What is certain about a failure."""

    passing: Transient | None


def classify(error: BaseException, *, now_s: float) -> Transient | None:
    """What kind of failure `error` is: passing, or None when it will be the same the next time.

    Passing are lost connections, timeouts, names that are not resolved, and HTTP 408, 409, 429 and 5xx or what gRPC
    and AWS have for them, from any of the common libraries or from an SDK whose errors carry such an answer or were
    raised from theirs. So are a Redis or a PostgreSQL that is not to be reached, and a worker that lacks the agent.
    Never passing are certificates, and a quota that is used up. The error nearest to the surface of which anything is
    known decides. `now_s` is the Unix time, for a Retry-After that is a date.
    """
    for each in _with_causes(error):
        for look in (_no_quota, _by_code, _by_status, _by_type):
            known = look(each, now_s)
            if known is not None:
                return known.passing
    return None


def passing(error: BaseException, policy: ActivityPolicy) -> Transient | None:
    """What `error` is to an activity of that policy: passing by itself, or because the policy says so; else None."""
    return classify(error, now_s=time.time()) or (Transient(None) if policy.is_retried(error) else None)


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    visited: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in visited:
        visited.add(id(cause))
        yield cause
        if isinstance(cause, BaseExceptionGroup) and len(cause.exceptions) == 1:
            cause = cause.exceptions[0]
        elif cause.__cause__ is not None or cause.__suppress_context__:
            cause = cause.__cause__
        else:
            # requests and urllib3 raise theirs while handling another, without `from`; the reason stands there.
            cause = getattr(cause, "reason", None) if isinstance(getattr(cause, "reason", None), Exception) else None


def _no_quota(error: BaseException, _: float) -> _Known | None:
    codes = *_codes_in(getattr(error, "body", None)), *_codes_in(_json_of(getattr(error, "response", None)))
    given = (getattr(error, "code", None), getattr(error, "type", None), *codes)
    return _Known(None) if not _NO_QUOTA.isdisjoint(each for each in given if isinstance(each, str)) else None


def _json_of(response: object) -> object:
    """The answer's JSON where a library has read it; it is asked for only where a quota may be the reason."""
    if getattr(response, "status_code", None) not in _QUOTA_STATUS:
        return None
    try:
        return response.json()  # type: ignore[attr-defined]
    except Exception:  # noqa: BLE001 - no JSON, or a stream that nobody has read, in each library's own words
        return None


def _codes_in(body: object) -> Iterator[object]:
    """The codes in the JSON of an answer, as OpenAI and those who copy it write them."""
    if isinstance(body, dict):
        inner = body.get("error")
        yield from (body.get("code"), body.get("type"))
        if isinstance(inner, dict):
            yield from (inner.get("code"), inner.get("type"))


def _by_code(error: BaseException, now_s: float) -> _Known | None:
    """Of gRPC (`.code()` or `.code` with a name), and of AWS (`.response["Error"]["Code"]`)."""
    code = getattr(error, "code", None)
    if callable(code):
        try:
            code = code()
        except TypeError:
            return None
    name = getattr(code, "name", None)
    # An integer with a name is HTTP's, as google.api_core has it.
    if isinstance(name, str) and name.isupper() and not isinstance(code, int):
        return _Known(Transient(None) if name in _TRANSIENT_GRPC else None)
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return None
    inner, metadata = response.get("Error") or {}, response.get("ResponseMetadata") or {}
    headers = metadata.get("HTTPHeaders") or {}
    if inner.get("Code") in _TRANSIENT_CODES:
        return _Known(Transient(_retry_after_s(headers, now_s)))
    status = metadata.get("HTTPStatusCode")
    return _Known(_of_status(status, headers, now_s)) if _is_status(status) else None


def _by_status(error: BaseException, now_s: float) -> _Known | None:
    """Of HTTP, where the common libraries have it."""
    response = getattr(error, "response", None)
    for holder in (response, error):
        for name in ("status_code", "status", "code"):
            status = getattr(holder, name, None)
            if _is_status(status):
                headers = getattr(response, "headers", None) or getattr(error, "headers", None)
                return _Known(_of_status(int(status), headers, now_s))
    return None


def _by_type(error: BaseException, _: float) -> _Known | None:
    classes = type(error).__mro__
    if isinstance(error, ssl.SSLCertVerificationError) or not _CALLERS_MISTAKE.isdisjoint(c.__name__ for c in classes):
        return _Known(None)
    if isinstance(error, socket.gaierror):
        return _Known(Transient(None) if error.errno in _TEMPORARY_DNS else None)
    if isinstance(error, RPCError):
        # Temporal's own, of a hook or a tool that asks the server: what it does not take, it will not take later.
        return _Known(None if error.status is RPCStatusCode.INVALID_ARGUMENT else Transient(None))
    if isinstance(error, ConnectionError | TimeoutError | ssl.SSLError | UnknownAgent | AgentBroken):
        return _Known(Transient(None))
    if any(each.__name__ in _CONNECTION_LOST.get(each.__module__.split(".")[0], ()) for each in classes):
        # A certificate that is refused stands below an error of the connection.
        certificate = any(isinstance(each, ssl.SSLCertVerificationError) for each in _below(error))
        return _Known(None if certificate else Transient(None))
    return None


def _below(error: BaseException) -> Iterator[BaseException]:
    """What `error` was raised from, or held in its arguments, or handling, down to the end."""
    left, visited = [error], set[int]()
    while left:
        each = left.pop()
        if id(each) in visited:
            continue
        visited.add(id(each))
        yield each
        inside = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
        left += [one for one in inside if isinstance(one, BaseException)]


def _is_status(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value in _HTTP


def _of_status(status: int, headers: Any, now_s: float) -> Transient | None:
    if status in _TRANSIENT_STATUS or status >= _SERVER_ERROR:
        return Transient(_retry_after_s(headers, now_s))
    return None


def _at_s(date: str) -> float:
    return parsedate_to_datetime(date).timestamp()


def _server_s(headers: Any, now_s: float) -> float:
    """The time by the server's own clock, if it says: this machine's may be off by hours."""
    date = headers.get("date") or headers.get("Date")
    try:
        return _at_s(date) if date else now_s
    except (TypeError, ValueError):
        return now_s


def _retry_after_s(headers: Any, now_s: float) -> float | None:
    # RFC 9110, 10.2.3: seconds, or an HTTP date. The OpenAI API adds retry-after-ms.
    try:
        if milliseconds := headers.get("retry-after-ms"):
            seconds = float(milliseconds) / 1000
        elif value := headers.get("retry-after") or headers.get("Retry-After"):
            numeric = value.replace(".", "", 1).isdigit()
            seconds = float(value) if numeric else _at_s(value) - _server_s(headers, now_s)
        else:
            return None
    except (AttributeError, TypeError, ValueError):
        return None
    return min(max(0.0, seconds), _LONGEST_WAIT_S)
