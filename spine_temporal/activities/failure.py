"""Which failures pass by themselves."""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx
from temporalio.service import RPCError

from spine_temporal.errors import AgentBroken, UnknownAgent

_TRANSIENT_STATUS: Final = frozenset({408, 409, 429})
_TRANSIENT_TYPES: Final = (
    httpx.TransportError,
    ConnectionError,
    TimeoutError,
    RPCError,
    UnknownAgent,
    AgentBroken,
)


@dataclass(frozen=True, slots=True)
class Transient:
    """The same call may succeed later."""

    retry_after_s: float | None
    """How long the server asked us to wait; None: it did not say."""


def classify(error: BaseException, *, now_s: float) -> Transient | None:
    """What kind of failure `error` is: passing, or None when it will be the same the next time.

    Passing are lost connections, timeouts, and HTTP 408, 409, 429 and 5xx, from httpx itself or from any SDK whose
    errors carry the httpx response or were raised from httpx's; so is a worker that lacks the agent. `now_s` is the
    Unix time, for a Retry-After that is a date.
    """
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        response = getattr(cause, "response", None)
        if isinstance(response, httpx.Response):
            return _of_status(response, now_s)
        if isinstance(cause, _TRANSIENT_TYPES):
            return Transient(None)
        cause = cause.__cause__
    return None


def _of_status(response: httpx.Response, now_s: float) -> Transient | None:
    if response.status_code in _TRANSIENT_STATUS or response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        return Transient(_retry_after_s(response.headers, now_s))
    return None


def _retry_after_s(headers: Any, now_s: float) -> float | None:
    # RFC 9110, 10.2.3: seconds, or an HTTP date. The OpenAI API adds retry-after-ms.
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return max(0.0, float(milliseconds) / 1000)
        value = headers.get("retry-after")
        if not value:
            return None
        seconds = (
            float(value) if value.replace(".", "", 1).isdigit() else parsedate_to_datetime(value).timestamp() - now_s
        )
    except ValueError:
        return None
    return max(0.0, seconds)
