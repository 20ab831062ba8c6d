"""Which of our search attributes the server has."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError

from spine_temporal.connection.search_attributes import look
from spine_temporal.contracts.search_attributes import NAMES

_log = logging.getLogger(__name__)
_LOOK_AGAIN_S: Final = 60.0


class Attributes:
    """Asks once; as long as some are missing again after a minute, for somebody may create them.

    A server that keeps the list to itself (Temporal Cloud has it for administrators) is asked for runs by each of them.
    What is missing is logged once. `known` says without asking that all are there, or that none shall be set.
    """

    def __init__(self, *, known: bool | None = None) -> None:
        self._there = NAMES if known else ()
        self._ask = known is None
        self._looked_s = 0.0
        self._looking: asyncio.Task[None] | None = None
        self._warned = False

    async def there(self, client: Callable[[], Client]) -> tuple[str, ...]:
        """Those that a workflow may set: with one that is missing, its task would fail for ever."""
        due = not self._looked_s or time.monotonic() - self._looked_s > _LOOK_AGAIN_S
        if self._ask and len(self._there) < len(NAMES) and due:
            self._looked_s = time.monotonic()
            self._looking = asyncio.create_task(self._look(client()))
        if self._looking is not None and not self._looking.done():
            # Runs that begin meanwhile wait for the answer, too: shielded, for one of them may be cancelled.
            await asyncio.shield(self._looking)
        return self._there

    async def _look(self, client: Client) -> None:
        try:
            found = await look(client)
        except RPCError as error:
            _log.warning("cannot ask which search attributes there are, so runs set none for now: %s", error.message)
            return
        self._there = found.there
        if found.missing and not self._warned:
            self._warned = True
            _log.warning(
                "namespace %r lacks search attributes: %s; runs start all the same, `spine-temporal list` has to look "
                "through more of them and `stats` cannot count them; `spine-temporal init` creates what is missing%s",
                client.namespace,
                ", ".join(found.missing),
                "" if found.listed else f" (they could not be listed: {found.why})",
            )
