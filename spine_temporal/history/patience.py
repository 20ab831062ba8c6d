"""Waiting for a server that is away, or that refuses a request which it may answer later."""

import asyncio
import logging
import random
import time
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.errors import RunNotFound, ServerUnreachable

_log = logging.getLogger(__name__)

AWAY: Final = frozenset(
    {RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.UNKNOWN}
)
# With those, what Temporal's SDK sends again by itself for whoever waits for a workflow's result.
PASSING: Final = AWAY | {
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.INTERNAL,
    RPCStatusCode.ABORTED,
    RPCStatusCode.DATA_LOSS,
    RPCStatusCode.OUT_OF_RANGE,
}
_PATIENCE_S: Final = 300.0
_FIRST_PAUSE_S: Final = 0.2
# One that is back is to be found soon; of one that has too much to do, no more is asked than the SDK would.
_AWAY_PAUSE_S: Final = 1.0
_REFUSED_PAUSE_S: Final = 10.0
# A server closes each connection after some minutes: what was on its way just then is sent again at once.
_QUIET_S: Final = 1.0


class Patience:
    """How long one request about a workflow has been sent in vain."""

    def __init__(self, client: Client, workflow_id: str) -> None:
        self._client = client
        self._workflow_id = workflow_id
        self._since_s: float | None = None

    async def wait(self, error: RPCError) -> None:
        """Wait until the request may be sent again: longer each time, as long as it was waited by now.

        After the first second, a warning is logged at each pause.

        Raises:
            RunNotFound: there is no such run.
            ServerUnreachable: the server was away, or refused the request, for more than five minutes.
            RPCError: it would be refused again.
        """
        if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
            raise RunNotFound(
                f"no run {self._workflow_id!r} in namespace {self._client.namespace!r}; "
                "`spine-temporal list` shows the runs there are"
            ) from error
        if error.status not in PASSING:
            raise error
        now_s = time.monotonic()
        self._since_s = self._since_s or now_s
        waited_s, address = now_s - self._since_s, self._client.service_client.config.target_host
        refused = f"{error.status.name}: {error.message}"
        if waited_s > _PATIENCE_S and error.status in AWAY:
            raise ServerUnreachable(f"the Temporal server at {address} has been away for {waited_s:.0f} s") from error
        if waited_s > _PATIENCE_S:
            raise ServerUnreachable(
                f"the Temporal server at {address} is there, but has refused for {waited_s:.0f} s to say anything of "
                f"run {self._workflow_id!r} ({refused}); ask again later"
            ) from error
        longest_s = _AWAY_PAUSE_S if error.status in AWAY else _REFUSED_PAUSE_S
        # Those who were refused together do not come again together.
        pause_s = min(longest_s, max(_FIRST_PAUSE_S, waited_s)) * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        if waited_s >= _QUIET_S:
            what = "does not answer" if error.status in AWAY else "refuses"
            _log.warning(
                "the Temporal server at %s %s what is asked of run %r (%s); asking again in %.1f s",
                address,
                what,
                self._workflow_id,
                refused,
                pause_s,
            )
        await asyncio.sleep(pause_s)
