"""Which failures pass by themselves."""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final

from temporalio.service import RPCError

from spine_temporal.errors import AgentBroken, UnknownAgent

_TRANSIENT_STATUS: Final = frozenset({408, 409, 429})
_SERVER_ERROR: Final = 500
_TRANSIENT_TYPES: Final = (ConnectionError, TimeoutError, RPCError, UnknownAgent, AgentBroken)
# By name: an SDK may be built on httpx or on httpx2, whose classes have nothing but their names in common, and none of
# these packages need be installed. Those of Redis and PostgreSQL are no ConnectionError of Python's.
_LOST: Final = {
    "httpx": frozenset({"TransportError"}),
    "httpx2": frozenset({"TransportError"}),
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
_CALLERS_MISTAKE: Final = frozenset(
    {"UnsupportedProtocol", "LocalProtocolError", "AuthenticationError", "AuthorizationError"}
)
_LONGEST_WAIT_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Transient:
    """The same call may succeed later."""

    retry_after_s: float | None
    """How long the server asked us to wait, an hour at the most; None: it did not say."""


def classify(error: BaseException, *, now_s: float) -> Transient | None:
    """What kind of failure `error` is: passing, or None when it will be the same the next time.

    Passing are lost connections, timeouts, and HTTP 408, 409, 429 and 5xx, from httpx itself or from any SDK whose
    errors carry an HTTP response or were raised from httpx's; so are a Redis or a PostgreSQL that is not to be reached,
    and a worker that lacks the agent. `now_s` is the Unix time, for a Retry-After that is a date.
    """
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        response = getattr(cause, "response", None)
        status = getattr(response, "status_code", None)
        if isinstance(status, int):
            return _of_status(status, getattr(response, "headers", {}), now_s)
        if isinstance(cause, _TRANSIENT_TYPES) or _lost_connection(cause):
            return Transient(None)
        cause = cause.__cause__
    return None


def _lost_connection(error: BaseException) -> bool:
    classes = type(error).__mro__
    lost = any(each.__name__ in _LOST.get(each.__module__.split(".")[0], ()) for each in classes)
    return lost and _CALLERS_MISTAKE.isdisjoint(each.__name__ for each in classes)


def _of_status(status: int, headers: Any, now_s: float) -> Transient | None:
    if status in _TRANSIENT_STATUS or status >= _SERVER_ERROR:
        return Transient(_retry_after_s(headers, now_s))
    return None


def _retry_after_s(headers: Any, now_s: float) -> float | None:
    # RFC 9110, 10.2.3: seconds, or an HTTP date. The OpenAI API adds retry-after-ms.
    try:
        if milliseconds := headers.get("retry-after-ms"):
            seconds = float(milliseconds) / 1000
        elif value := headers.get("retry-after"):
            numeric = value.replace(".", "", 1).isdigit()
            seconds = float(value) if numeric else parsedate_to_datetime(value).timestamp() - now_s
        else:
            return None
    except ValueError:
        return None
    return min(max(0.0, seconds), _LONGEST_WAIT_S)
