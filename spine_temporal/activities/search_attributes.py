"""Whether the server has our search attributes."""

import time
from collections.abc import Callable
from typing import Final

from temporalio.client import Client

from spine_temporal.connection.search_attributes import missing

_LOOK_AGAIN_S: Final = 60.0


class Attributes:
    """Asks once; as long as they are missing again after a minute, for somebody may create them.

    Who may not ask (Temporal Cloud keeps that for administrators) does without, or says that it is `known`.
    """

    def __init__(self, *, known: bool | None = None) -> None:
        self._there = known is True
        self._ask = known is None
        self._looked_s = 0.0

    async def are_there(self, client: Callable[[], Client]) -> bool:
        """Whether a workflow may set them: with one that is missing, its task would fail for ever."""
        if not self._there and self._ask and (not self._looked_s or time.monotonic() - self._looked_s > _LOOK_AGAIN_S):
            self._looked_s = time.monotonic()
            self._there = await missing(client()) == []
        return self._there
